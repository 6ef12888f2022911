//! When a key comes to each point of its life, as it was, is agreed on, or is planned.

use sealwright_service::clock::Timestamp;

use crate::signing_keys::decide;
use crate::signing_keys::plan::Plan;
use crate::signing_keys::record::{KeyRecord, KeyState, Ledger};

/// The turning points of one key; `None` for one that does not come, or that nobody knows of yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Forecast {
    pub(super) publish: Option<Timestamp>,
    /// When it begins to sign.
    pub(super) begin: Option<Timestamp>,
    /// When it ends to sign.
    pub(super) end: Option<Timestamp>,
    /// When it leaves the set.
    pub(super) leave: Option<Timestamp>,
}

/// The life of `key` in `ledger`, as it stands at `now` and goes on by `plan`; without one, by declaration.
pub(super) fn forecast(
    plan: &Plan,
    by_plan: bool,
    ledger: &Ledger,
    key: &KeyRecord,
    now: Timestamp,
) -> Forecast {
    let past = Forecast {
        publish: key.published_at,
        begin: key.activate_at,
        end: key.retired_at,
        leave: key.gone_at,
    };
    match key.state {
        // A moment that was agreed on but did not come before the key was gone.
        KeyState::Evicted | KeyState::Revoked => {
            Forecast { begin: past.begin.filter(|begin| past.leave.is_none_or(|gone| *begin < gone)), ..past }
        }
        KeyState::Verifying => {
            let leaves = !key.declared || key.evict_not_before.is_some();
            Forecast { leave: leaves.then(|| decide::evict_at(plan, key)), ..past }
        }
        _ if !by_plan => past,
        // It ends when nobody asks for its algorithm any more.
        KeyState::Active if !plan.algorithms.contains(&key.alg) => past,
        KeyState::Active => {
            let planned = decide::planned_activation(plan, ledger, key.alg);
            let next = decide::next(ledger, key.alg).and_then(|next| upcoming(plan, ledger, next, now).begin);
            ends(plan, key, Forecast { end: next.or(planned), ..past })
        }
        KeyState::Staged | KeyState::Published => upcoming(plan, ledger, key, now),
    }
}

/// The life of a key that does not sign yet.
fn upcoming(plan: &Plan, ledger: &Ledger, key: &KeyRecord, now: Timestamp) -> Forecast {
    let is_next = decide::next(ledger, key.alg).is_some_and(|next| next.kid == key.kid);
    if !is_next {
        // It waits behind another one.
        return Forecast { publish: key.published_at, ..Forecast::default() };
    }
    let planned = decide::planned_activation(plan, ledger, key.alg);
    let publish = key
        .published_at
        .unwrap_or_else(|| planned.map_or(now, |planned| planned.minus(plan.lead()).max(now)));
    let announced = publish.plus(plan.lead());
    let by_plan = planned.map_or(announced, |planned| planned.max(announced));
    let wanted = key.wanted_at.unwrap_or(by_plan).max(now.plus(plan.fence()));
    let begin = key.activate_at.unwrap_or(wanted);
    let end = Some(begin.plus(plan.rotate_every));
    ends(plan, key, Forecast { publish: Some(publish), begin: Some(begin), end, leave: None })
}

/// The same with the latest moment at which it leaves the set, by what may have been signed until its end.
fn ends(plan: &Plan, key: &KeyRecord, forecast: Forecast) -> Forecast {
    let leave = forecast.end.map(|end| {
        let last = decide::reservation_s(plan, end).1.max(key.max_exp_s.unwrap_or(i64::MIN));
        decide::evict_at(plan, &KeyRecord { max_exp_s: Some(last), ..key.clone() })
    });
    Forecast { leave, ..forecast }
}
