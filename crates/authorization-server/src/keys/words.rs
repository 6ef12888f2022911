//! Times as people say them.

use std::time::Duration;

use sealwright_service::clock::Timestamp;

const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];

/// A duration in its two largest units: `6 d 3 h`, `5 min 30 s`.
pub fn duration(duration: Duration) -> String {
    let seconds = (duration.as_millis() + 500) / 1000;
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    let Some(first) = UNITS.iter().position(|(unit, _)| *unit <= seconds) else { return "0 s".to_owned() };
    let (unit, name) = UNITS[first];
    let rest = UNITS.get(first + 1).map(|(smaller, name)| (seconds % unit / smaller, name));
    match rest {
        Some((n @ 1.., smaller)) => format!("{} {name} {n} {smaller}", seconds / unit),
        _ => format!("{} {name}", seconds / unit),
    }
}

/// How far `at` is from `now`: `in 6 d 3 h`, `4 min ago`, `now`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let half_a_second = Duration::from_millis(500);
    if at.since(now) >= half_a_second {
        format!("in {}", duration(at.since(now)))
    } else if now.since(at) >= half_a_second {
        format!("{} ago", duration(now.since(at)))
    } else {
        "now".to_owned()
    }
}

/// A moment to the second, with how far it is from `now`: `2026-11-23 16:50:00 UTC (in 6 d 3 h)`.
pub fn moment(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", second(at), relative(at, now))
}

/// A moment to the second: `2026-11-23 16:50:00 UTC`.
fn second(at: Timestamp) -> String {
    let text = Timestamp::from_secs(at.as_secs()).to_rfc3339();
    let text = text.strip_suffix(".000Z").unwrap_or(&text);
    format!("{} UTC", text.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_two_largest_units() {
        for (ms, text) in [
            (0, "0 s"),
            (499, "0 s"),
            (1_500, "2 s"),
            (59_900, "1 min"),
            (90_000, "1 min 30 s"),
            (3_600_000, "1 h"),
            (3_601_000, "1 h"),
            (90_000_000, "1 d 1 h"),
            (86_400_000 + 59_000, "1 d"),
        ] {
            assert_eq!(duration(Duration::from_millis(ms)), text, "{ms} ms");
        }
    }

    #[test]
    fn moments_are_before_or_after_now() {
        let now = Timestamp::from_secs(1_795_305_600);
        assert_eq!(relative(now, now), "now");
        assert_eq!(relative(now.plus(Duration::from_secs(90)), now), "in 1 min 30 s");
        assert_eq!(relative(now.minus(Duration::from_secs(7200)), now), "2 h ago");
        assert_eq!(moment(now, now), "2026-11-22 00:00:00 UTC (now)");
    }
}
