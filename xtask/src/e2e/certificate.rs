//! The one-time certificate, as openssl sees it.

use std::process::Command;

use super::demo::Demo;
use crate::Result;
use crate::runner::Step;
use crate::tools::on_path;

/// The chain holds, and holds only under its own CA.
pub(super) fn chain(step: &mut Step<'_>, demo: &Demo) -> Result<()> {
    let (leaf, ca) = (demo.file("certificate")?, demo.file("ca")?);
    step.run(
        openssl()?
            .args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile"])
            .arg(&ca)
            .arg(&leaf),
    )?;
    let mut alone = openssl()?;
    alone.args(["verify", "-no-CAfile", "-no-CApath", "-no-CAstore"]).arg(&leaf);
    let output = step.watch(&mut alone, crate::command::LIMIT)?;
    if output.success { Err("the certificate passes without its CA".into()) } else { Ok(()) }
}

/// Each attribute of the subject is what the token claims, in the order of the resource, and there is no other.
pub(super) fn subject(step: &mut Step<'_>, demo: &Demo) -> Result<()> {
    let printed = step.run(
        openssl()?
            .args(["x509", "-noout", "-subject", "-nameopt", "sep_multiline,utf8,sname", "-in"])
            .arg(demo.file("certificate")?),
    )?;
    let found: Vec<(&str, &str)> = printed
        .lines()
        .filter(|line| line.starts_with(char::is_whitespace))
        .filter_map(|line| line.trim().split_once('='))
        .collect();
    let name = format!("{} {}", demo.claim("given_name")?, demo.claim("family_name")?);
    let wanted = [("CN", name.as_str()), ("serialNumber", demo.claim("sub")?), ("C", "CH")];
    if sorted(&found) != sorted(&wanted) {
        return Err(format!("the subject is {found:?}, and should be {wanted:?}"));
    }
    let printed = step.run(
        openssl()?.args(["x509", "-noout", "-ext", "subjectAltName", "-in"]).arg(demo.file("certificate")?),
    )?;
    let email = format!("email:{}", demo.claim("email")?);
    if printed.lines().nth(1).map(str::trim) != Some(email.as_str()) {
        return Err(format!("the alternative name should be `{email}`:\n{printed}"));
    }
    step.note(found.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", "));
    Ok(())
}

/// The certificate lives for minutes, and may sign documents and nothing else.
pub(super) fn validity(step: &mut Step<'_>, demo: &Demo) -> Result<()> {
    let leaf = demo.file("certificate")?;
    let printed = step.run(
        openssl()?
            .args(["x509", "-noout", "-startdate", "-enddate", "-dateopt", "iso_8601", "-in"])
            .arg(&leaf),
    )?;
    let date = |name: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(seconds).ok_or_else(|| format!("no {name} in\n{printed}"))
    };
    let minutes = (date("notAfter=")? - date("notBefore=")?) / 60;
    if !(1..=15).contains(&minutes) {
        return Err(format!("the certificate lives for {minutes} minutes"));
    }
    let printed =
        step.run(openssl()?.args(["x509", "-noout", "-ext", "basicConstraints,keyUsage", "-in"]).arg(&leaf))?;
    let bare: Vec<&str> = printed.lines().map(str::trim).collect();
    let signs = bare.iter().any(|line| {
        matches!(*line, "Digital Signature" | "Digital Signature, Non Repudiation" | "Non Repudiation")
    });
    if !signs || bare.contains(&"CA:TRUE") {
        return Err(format!("the certificate is for something else than signatures:\n{printed}"));
    }
    step.note(format!("{minutes} minutes"));
    Ok(())
}

fn openssl() -> Result<Command> {
    let program =
        on_path("openssl").ok_or("openssl is missing: install it with `apt-get install openssl`")?;
    Ok(Command::new(program))
}

/// Seconds since some day, of a date such as `2026-11-22 06:13:41Z`; good for differences.
fn seconds(date: &str) -> Option<i64> {
    let numbers: Vec<i64> = date
        .trim()
        .trim_end_matches('Z')
        .split(['-', ' ', ':'])
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let [year, month, day, hour, minute, second] = numbers[..] else { return None };
    // Days from the civil calendar, with years that begin in March, so that leap days come last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn sorted<'a>(attributes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut sorted = attributes.to_vec();
    sorted.sort_unstable();
    sorted
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn dates_are_subtracted_over_the_ends_of_days_and_years() {
        let between = |from, to| seconds(to).zip(seconds(from)).map(|(to, from)| to - from);
        assert_eq!(between("2026-12-31 23:59:30Z", "2027-01-01 00:09:30Z"), Some(600));
        assert_eq!(between("2028-02-28 23:59:00Z", "2028-03-01 00:00:00Z"), Some(86_460));
        assert_eq!(seconds("Nov 22 06:13:41 2026 GMT"), None);
    }
}
