//! What follows from who calls whom: an order, shares of traffic, and that there is no cycle.

use super::{Service, TopologyError};

/// What the graph says about one service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Links {
    pub(crate) calls: Vec<Call>,
    /// Share of its peak rate that comes from outside the fleet.
    pub(crate) external_share: f64,
    /// Longest chain of calls below it.
    pub(crate) height: usize,
    pub(crate) is_root: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Call {
    pub(crate) callee: usize,
    /// Share of the caller's requests that make this call.
    pub(crate) share: f64,
}

/// Depth-first from every service; a service met on the way down again closes a cycle.
pub(super) fn callers_first(
    services: &[Service],
    calls: &[Vec<usize>],
) -> Result<Vec<usize>, TopologyError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        OnPath,
        Done,
    }
    let mut seen = vec![Seen::Not; services.len()];
    let mut callees_first = Vec::with_capacity(services.len());
    for start in 0..services.len() {
        if seen[start] != Seen::Not {
            continue;
        }
        seen[start] = Seen::OnPath;
        let mut path = vec![(start, 0)];
        while let Some((service, next)) = path.last_mut() {
            let Some(&callee) = calls[*service].get(*next) else {
                seen[*service] = Seen::Done;
                callees_first.push(*service);
                path.pop();
                continue;
            };
            *next += 1;
            match seen[callee] {
                Seen::Done => {}
                Seen::Not => {
                    seen[callee] = Seen::OnPath;
                    path.push((callee, 0));
                }
                Seen::OnPath => {
                    let cycle = path
                        .iter()
                        .map(|(on_path, _)| *on_path)
                        .skip_while(|&on_path| on_path != callee)
                        .chain([callee])
                        .map(|i| services[i].name.as_str())
                        .collect::<Vec<_>>();
                    return Err(TopologyError::Cycle {
                        path: cycle.join(" -> "),
                    });
                }
            }
        }
    }
    callees_first.reverse();
    Ok(callees_first)
}

pub(super) fn links(
    services: &[Service],
    calls: &[Vec<usize>],
    callers_first: &[usize],
) -> Vec<Links> {
    let mut callers_rps = vec![0.0; services.len()];
    for (caller, callees) in calls.iter().enumerate() {
        for &callee in callees {
            callers_rps[callee] += services[caller].rps;
        }
    }
    let mut height = vec![0; services.len()];
    for &service in callers_first.iter().rev() {
        height[service] = calls[service]
            .iter()
            .map(|&callee| height[callee] + 1)
            .max()
            .unwrap_or(0);
    }
    (0..services.len())
        .map(|service| Links {
            calls: calls[service]
                .iter()
                .map(|&callee| Call {
                    callee,
                    share: (services[callee].rps / callers_rps[callee]).min(1.0),
                })
                .collect(),
            external_share: (1.0 - callers_rps[service] / services[service].rps).max(0.0),
            height: height[service],
            is_root: callers_rps[service] == 0.0,
        })
        .collect()
}
