//! Moments as dates: the Gregorian calendar in UTC.

/// Year, month, day, hour, minute, second of a moment in seconds since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
pub(super) fn civil(seconds: u64) -> [u64; 6] {
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    [year, month, day, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60]
}

/// `2026-11-23 23:12 UTC` of a moment in seconds since 1970.
pub fn utc(seconds: u64) -> String {
    let [year, month, day, hour, minute, _] = civil(seconds);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    // date -u -d @1795475525 '+%Y-%m-%d %H:%M UTC'; date -u -d @1709251199 …
    #[test]
    fn dates_are_those_of_date() {
        assert_eq!(utc(1_795_475_525), "2026-11-23 23:12 UTC");
        assert_eq!(utc(1_709_251_199), "2024-02-29 23:59 UTC");
    }
}
