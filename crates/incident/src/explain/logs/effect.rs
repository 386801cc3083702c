//! How far a count moved, in standard deviations.

/// Fewer pieces of baseline don't tell how unevenly something comes.
const PIECES_MIN: usize = 6;

/// Standard deviations by which a rate moved; positive: rose.
///
/// ```text
///     2·(√(x₁ + ⅜) − √(λ + ⅜))
///     ─────────────────────────     λ = x₀·r,  r = e₁/e₀
///            √(φ·(1 + r))
/// ```
///
/// with `x₀`, `x₁` lines in baseline and window, and `e₀`, `e₁` what they are counted against:
/// traces or minutes. 2·√(x + ⅜) of a Poisson count has a variance of 1 whatever its mean (Anscombe
/// 1948, "The transformation of Poisson, binomial and negative-binomial data"). The baseline was
/// counted as well: as an estimate of λ its variance is r times that of the window's (Huffman 1984,
/// "An improved approximate two-sample Poisson test"), so a baseline that is short beside the window
/// says less. φ is how much more unevenly than by chance the lines come, see [`unevenness`].
pub(crate) fn of_rate(before: Counted, during: Counted, phi: f64) -> f64 {
    if before.against <= 0.0 || during.against <= 0.0 {
        return 0.0;
    }
    let ratio = during.against / before.against;
    let expected = before.count * ratio;
    let moved = (during.count + 0.375).sqrt() - (expected + 0.375).sqrt();
    2.0 * moved / (phi * (1.0 + ratio)).sqrt()
}

/// Standard deviations by which a share of calls moved; positive: rose.
///
/// ```text
///     2·(asin √p₁ − asin √p₀)
///     ─────────────────────────────     p = (x + ⅜)/(n + ¾)
///     √(φ·(1/(n₀ + ½) + 1/(n₁ + ½)))
/// ```
///
/// with `x` of `n` calls in baseline (0) and window (1): asin √p of a binomial share has a variance
/// of 1/(4n + 2) whatever the share (Anscombe 1948), also where all or none of a few calls were it.
pub(crate) fn of_share(before: Counted, during: Counted, phi: f64) -> f64 {
    let angle = |x: Counted| {
        let share = (x.count + 0.375) / (x.against + 0.75);
        libm::asin(share.clamp(0.0, 1.0).sqrt())
    };
    let variance = 1.0 / (before.against + 0.5) + 1.0 / (during.against + 0.5);
    2.0 * (angle(during) - angle(before)) / (phi * variance).sqrt()
}

/// A count, and what it is counted against: traces, minutes, calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counted {
    pub count: f64,
    pub against: f64,
}

/// How much more unevenly than by chance something comes over the pieces of the baseline, 1 or
/// more: the variance between pieces over the variance by chance,
///
/// ```text
///     φ = Σ (xᵢ − m·eᵢ)² / (v·Σ eᵢ) · k/(k − 1)
/// ```
///
/// over `k` pieces with `xᵢ` of it against `eᵢ`, a mean of `m` and a variance by chance of `v` for
/// each one of `e` (Fletcher 2012, "Estimating overdispersion when fitting a generalized linear
/// model to sparse data", compares such estimates). The worst over pieces of 1, 2, 4, … slices up to
/// `widest`, since bursts are seen best at their own length. What comes in bursts without an
/// incident thus has a large φ and a small effect.
pub(crate) fn unevenness(slices: &[Counted], mean: f64, variance: f64, widest: usize) -> f64 {
    let mut worst: f64 = 1.0;
    let mut width = 1;
    while width <= widest.max(1) {
        worst = worst.max(unevenness_at(slices, mean, variance, width));
        width *= 2;
    }
    worst
}

fn unevenness_at(slices: &[Counted], mean: f64, variance: f64, width: usize) -> f64 {
    let (mut pieces, mut squares, mut against) = (0, 0.0, 0.0);
    for piece in slices.chunks(width) {
        let of = piece.iter().map(|slice| slice.against).sum::<f64>();
        if of > 0.0 {
            let count = piece.iter().map(|slice| slice.count).sum::<f64>();
            pieces += 1;
            squares += (count - mean * of) * (count - mean * of);
            against += of;
        }
    }
    let by_chance = variance * against;
    if pieces < PIECES_MIN || by_chance <= 0.0 {
        return 1.0;
    }
    let pieces = pieces as f64;
    squares / by_chance * pieces / (pieces - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(count: f64, against: f64) -> Counted {
        Counted { count, against }
    }

    #[test]
    fn a_rate_against_a_long_baseline_is_anscombes() {
        let effect = of_rate(counted(1e6, 1e6), counted(16.0, 4.0), 1.0);
        let anscombe = 2.0 * (16.375_f64.sqrt() - 4.375_f64.sqrt());
        assert!((effect - anscombe).abs() < 1e-4, "{effect} {anscombe}");
    }

    #[test]
    fn a_short_baseline_and_bursts_say_less() {
        let new = |minutes: f64, phi| of_rate(counted(0.0, minutes), counted(12.0, 3.0), phi);
        assert!(new(60.0, 1.0) > new(6.0, 1.0) && new(6.0, 1.0) > new(1.0, 1.0));
        assert!((new(60.0, 4.0) - new(60.0, 1.0) / 2.0).abs() < 1e-12);
        assert_eq!(new(0.0, 1.0), 0.0, "nothing to compare with");
    }

    #[test]
    fn a_share_needs_calls() {
        let all = of_share(counted(0.0, 60.0), counted(11.0, 11.0), 1.0);
        let two = of_share(counted(0.0, 60.0), counted(2.0, 2.0), 1.0);
        assert!(all > 6.0 && two > 2.0 && two < 4.0, "{all} {two}");
        let back = of_share(counted(11.0, 11.0), counted(0.0, 60.0), 1.0);
        assert!((all + back).abs() < 1e-12, "the same the other way round");
    }

    #[test]
    fn bursts_are_seen_at_their_own_length() {
        let even = [counted(4.0, 1.0); 40];
        assert_eq!(unevenness(&even, 4.0, 4.0, 4), 1.0);
        let burst = |at: usize| if at % 20 < 4 { 20.0 } else { 0.0 };
        let bursts: Vec<Counted> = (0..40).map(|at| counted(burst(at), 1.0)).collect();
        let (narrow, wide) = (
            unevenness(&bursts, 4.0, 4.0, 1),
            unevenness(&bursts, 4.0, 4.0, 4),
        );
        assert!(narrow > 15.0 && wide > 3.0 * narrow, "{narrow} {wide}");
        assert_eq!(
            unevenness(&bursts[..5], 4.0, 4.0, 4),
            1.0,
            "too few to tell"
        );
    }
}
