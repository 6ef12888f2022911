//! Numbers and times as people read them.

use sealwright_service::clock::Timestamp;

/// A digest in hexadecimal, in groups of four.
pub(super) fn groups(digest: &[u8]) -> Vec<String> {
    digest.chunks(2).map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect()).collect()
}

/// A size with its unit, such as `48.2 kB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") };
    }
    // Tenths are counted in whole numbers, so that nothing is rounded up past what the unit holds.
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A time of day with its zone, such as `10:15 UTC`.
pub(super) fn time(at: Timestamp) -> String {
    let rfc3339 = at.to_rfc3339();
    match rfc3339.split_once('T').and_then(|(_, time)| time.get(..5)) {
        Some(time) => format!("{time} UTC"),
        None => rfc3339,
    }
}

/// The whole time for machines, as in the `datetime` attribute.
pub(super) fn machine_time(at: Timestamp) -> String {
    at.to_rfc3339()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let sizes = [0, 1, 999, 1000, 1999, 48_213, 999_999, 1_000_000, 52_428_800, u64::MAX].map(size);
        assert_eq!(
            sizes,
            [
                "0 bytes",
                "1 byte",
                "999 bytes",
                "1.0 kB",
                "1.9 kB",
                "48.2 kB",
                "999.9 kB",
                "1.0 MB",
                "52.4 MB",
                "18446744.0 TB"
            ]
        );
    }

    #[test]
    fn digests_are_in_groups_of_four() {
        assert_eq!(groups(&[0x9f, 0x86, 0xd0, 0x81, 0x88]), ["9f86", "d081", "88"]);
    }

    #[test]
    fn times_have_a_zone() {
        assert_eq!(time(Timestamp::from_secs(1_795_305_600)), "00:00 UTC");
    }
}
