use proptest::prelude::*;

use super::*;

/// The templates of these messages of one logger, each once, in the order of their first lines.
fn templates<T: AsRef<str>>(messages: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut miner = LogMiner::default();
    let found = groups(&mut miner, "orders", messages);
    let mut templates: Vec<String> = Vec::new();
    for id in found {
        let template = miner.template(id).to_owned();
        if !templates.contains(&template) {
            templates.push(template);
        }
    }
    assert_eq!(templates.len(), miner.groups(), "{templates:#?}");
    templates
}

fn groups<T: AsRef<str>>(
    miner: &mut LogMiner,
    service: &str,
    messages: impl IntoIterator<Item = T>,
) -> Vec<GroupId> {
    let group =
        |message: T| miner.group(service, Some("o.Service"), LogLevel::Info, message.as_ref());
    messages.into_iter().map(group).collect()
}

/// `count` words without digits, all different.
fn names(count: usize) -> impl Iterator<Item = String> {
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    (0..count).map(move |n| {
        ["n", "a"].concat()
            + &String::from_iter([
                letter(n),
                letter(n / 26),
                letter(n / 676),
                letter(n / 17_576),
            ])
    })
}

#[test]
fn names_that_never_end_are_values() {
    let lines = names(1_000).map(|name| format!("User {name} logged in"));
    assert_eq!(templates(lines), ["User <*> logged in"]);
    let lines = names(8).map(|name| format!("[login][user {name}, please wait a bit]"));
    assert_eq!(templates(lines), ["[login][user <*>, please wait a bit]"]);
}

#[test]
fn the_line_that_shows_it_is_in_the_merged_group_as_well() {
    let mut miner = LogMiner::default();
    let ids = groups(
        &mut miner,
        "orders",
        names(9).map(|name| format!("User {name} logged in")),
    );
    let root = miner.root(ids[0]);
    assert!(ids.iter().all(|&id| miner.root(id) == root));
    assert_eq!([ids[7], ids[8]], [root, root]);
}

#[test]
fn few_variants_are_statements_of_their_own() {
    let verbs = [
        "start", "end", "failed", "retried", "skipped", "resumed", "queued",
    ];
    let lines = verbs.map(|verb| format!("import of orders {verb}"));
    assert_eq!(templates(&lines), lines);
    let outcomes = ["[pay][Success]", "[pay][Failed]"];
    assert_eq!(templates(outcomes), outcomes);
}

#[test]
fn words_that_come_again_and_again_are_names_of_things() {
    let services = names(20).map(|name| format!("call to {name} took 17 ms (expected below 9 ms)"));
    let services: Vec<String> = services.collect();
    let often = services.iter().flat_map(|line| vec![line; 5]);
    let expected: Vec<String> = services
        .iter()
        .map(|line| line.replace("17", "<*>").replace('9', "<*>"))
        .collect();
    assert_eq!(templates(often), expected);
}

#[test]
fn the_first_word_of_a_template_stays_for_long() {
    let services: Vec<String> = names(20)
        .map(|name| format!("{name} call failed"))
        .collect();
    assert_eq!(templates(&services), services);
    let users = names(100).map(|name| format!("{name} has logged in"));
    assert_eq!(templates(users), ["<*> has logged in"]);
}

#[test]
fn a_template_is_more_than_its_value() {
    let lines: Vec<String> = names(40).map(|name| format!("bean {name}")).collect();
    assert_eq!(templates(&lines), lines);
}

#[test]
fn two_words_of_one_template_can_be_values() {
    let (users, items): (Vec<String>, Vec<String>) =
        (names(30).collect(), names(900).skip(400).collect());
    let lines = (0..1_500).map(|n| format!("user {} buys {} now", users[n % 30], items[n / 30]));
    let found = templates(lines);
    assert!(
        found.contains(&"user <*> buys <*> now".to_owned()),
        "{found:#?}"
    );
    assert!(found.len() <= 2, "{found:#?}");
}

#[test]
fn key_and_template_make_the_pattern_id_and_no_level_does() {
    let mut miner = LogMiner::default();
    let mut id = |service, logger, level, message| {
        let group = miner.group(service, logger, level, message);
        miner.pattern_id(group)
    };
    let first = id("orders", Some("o.S"), LogLevel::Info, "took 17 ms");
    // Written into stored incidents: it never changes.
    assert_eq!(first, "75297bdee1f70408");
    assert_eq!(
        first,
        id("orders", Some("o.S"), LogLevel::Error, "took 3 ms")
    );
    assert_ne!(
        first,
        id("carts", Some("o.S"), LogLevel::Info, "took 17 ms")
    );
    assert_ne!(
        first,
        id("orders", Some("o.T"), LogLevel::Info, "took 17 ms")
    );
    let without = id("orders", None, LogLevel::Info, "took 17 ms");
    assert_ne!(first, without);
    assert_eq!(
        without,
        id("orders", Some(""), LogLevel::Info, "took 17 ms")
    );
    assert_ne!(
        first,
        id("orders", Some("o.S"), LogLevel::Info, "took 17 s")
    );
}

#[test]
fn beyond_the_limits_lines_are_others_of_their_key() {
    let limits = MinerLimits {
        keys: 2,
        templates_per_key: 3,
        templates: 5,
        ..MinerLimits::default()
    };
    let mut miner = LogMiner::new(limits);
    let mut told = |service| {
        let ids = groups(&mut miner, service, names(5));
        ids.iter()
            .map(|&id| miner.template(id).to_owned())
            .collect::<Vec<_>>()
    };
    let named: Vec<String> = names(3).collect();
    assert_eq!(told("a")[..3], named);
    assert_eq!(told("a")[3..], [OTHERS, OTHERS]);
    assert_eq!(
        told("b")[2..],
        [OTHERS, OTHERS, OTHERS],
        "of all, two were left"
    );
    assert_eq!(told("c"), [OTHERS; 5]);
    assert_eq!(miner.groups(), 3 + 1 + 2 + 1 + 1);
}

#[test]
fn a_million_different_messages_take_bounded_memory() {
    let mut miner = LogMiner::default();
    let mut message = String::new();
    for (n, name) in names(250_000).enumerate() {
        for form in [
            "{} was {}",
            "{} {} {}",
            "[{}][{}: x]",
            "a {} is (in {}, {})",
        ] {
            message.clear();
            message.push_str(&form.replace("{}", &name));
            let service = ["orders", "carts"][n % 2];
            miner.group(service, None, LogLevel::Info, &message);
        }
    }
    let limits = MinerLimits::default();
    assert!(miner.groups.len() <= 2 * (limits.templates_per_key + 1));
    let entries = |key: &Key| key.by_template.len() + key.places.len();
    assert!(miner.keys.iter().map(entries).sum::<usize>() < 40 * limits.templates_per_key);
}

#[test]
fn ids_of_another_miner_are_answered() {
    let miner = LogMiner::default();
    assert_eq!(miner.template(GroupId(7)), "");
    assert_eq!(miner.pattern_id(GroupId(7)).len(), 16);
}

/// Lines of few forms, so that some merge, and lines of any text.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        "user [a-d]{1,2} logged in",
        "[a-d]{1,2} is [a-b] for [0-9]{2}",
        "\\[x: .{0,3}\\] .{0,4}",
    ];
    proptest::collection::vec(line, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_of_other_services_change_nothing(lines in lines(), others in lines()) {
        let mut alone = LogMiner::default();
        let mut among = LogMiner::default();
        let (mut ids_alone, mut ids_among) = (Vec::new(), Vec::new());
        for (n, line) in lines.iter().enumerate() {
            groups(&mut among, "carts", others.get(n));
            ids_alone.extend(groups(&mut alone, "orders", [line]));
            ids_among.extend(groups(&mut among, "orders", [line]));
        }
        let patterns = |miner: &LogMiner, ids: &[GroupId]| -> Vec<String> {
            ids.iter().map(|&id| miner.pattern_id(id)).collect()
        };
        prop_assert_eq!(patterns(&alone, &ids_alone), patterns(&among, &ids_among));
    }

    #[test]
    fn the_same_lines_have_the_same_ids(lines in lines()) {
        let once = groups(&mut LogMiner::default(), "orders", &lines);
        prop_assert_eq!(once, groups(&mut LogMiner::default(), "orders", &lines));
    }

    #[test]
    fn merged_groups_have_one_template_each(lines in lines()) {
        let mut miner = LogMiner::default();
        let ids = groups(&mut miner, "orders", &lines);
        let mut by_template = BTreeMap::new();
        for id in ids {
            let root = miner.root(id);
            prop_assert_eq!(miner.root(root), root);
            let first = *by_template.entry(miner.template(id).to_owned()).or_insert(root);
            prop_assert_eq!(first, root);
        }
    }
}
