//! English.

/// The language's tag (RFC 5646).
pub(in crate::pages) const LANG: &str = "en";

pub(in crate::pages) const PROBLEM: &str = "There is a problem";
pub(in crate::pages) const CONTINUE: &str = "Continue";
pub(in crate::pages) const CANCEL: &str = "Cancel";

pub(in crate::pages) fn sign_in_to(application: &str) -> String {
    format!("Sign in to {application}")
}
pub(in crate::pages) fn for_domain(domain: &str) -> String {
    format!("Account: {domain}")
}
pub(in crate::pages) const USERNAME: &str = "User name";
pub(in crate::pages) const PASSWORD: &str = "Password";
pub(in crate::pages) const SIGN_IN: &str = "Sign in";
pub(in crate::pages) const NO_USERNAME: &str = "Enter your user name";
pub(in crate::pages) const NO_PASSWORD: &str = "Enter your password";
pub(in crate::pages) const WRONG_PASSWORD: &str =
    "The user name or the password is not right. Check both and try again.";
pub(in crate::pages) const BUSY: &str = "Many people are signing in right now. Try again in a moment.";
pub(in crate::pages) fn throttled(seconds: u64) -> String {
    format!("Too many attempts. Wait {}, then try again.", duration(seconds))
}

pub(in crate::pages) const ENTER_CODE: &str = "Enter the code from your authenticator app";
pub(in crate::pages) const CODE: &str = "Six-digit code";
pub(in crate::pages) const CODE_HINT: &str = "It changes every 30 seconds.";
pub(in crate::pages) const NO_CODE: &str = "Enter the code";
pub(in crate::pages) const WRONG_CODE: &str =
    "That code is not right. Check that you took the one for this account.";
pub(in crate::pages) const USED_CODE: &str = "That code has been used. Wait for the next one.";

pub(in crate::pages) const APPROVE_SIGNATURE: &str = "Approve this signature";
pub(in crate::pages) const APPROVE_CHECK: &str = "Approve this check";
pub(in crate::pages) const APPROVE_REQUEST: &str = "Approve this request";
pub(in crate::pages) const ASKED_BY: &str = "Asked by";
pub(in crate::pages) const ASKED_WITH: &str = "To be done by";
pub(in crate::pages) const TO_SIGN: &str = "To be signed";
pub(in crate::pages) const TO_CHECK: &str = "To be checked";
pub(in crate::pages) const MAY_USE: &str = "May use";
pub(in crate::pages) const IN_THE_NAME_OF: &str = "In the name of";
pub(in crate::pages) const CERTAINTY: &str = "How sure we are that it is you";
pub(in crate::pages) const UNTIL: &str = "Until";
pub(in crate::pages) const UNNAMED: &str = "A document without a name";
pub(in crate::pages) const DIGEST: &str = "Digest";
pub(in crate::pages) const SIZE_UNKNOWN: &str = "size not given";
pub(in crate::pages) const FACTOR_PASSWORD: &str = "Password";
pub(in crate::pages) const FACTOR_TOTP: &str = "Password and authenticator code";
pub(in crate::pages) fn factors_at(factors: &str, time: &str) -> String {
    format!("{factors}, at {time}")
}
pub(in crate::pages) fn level(acr: &str) -> String {
    format!("Level {acr}")
}
pub(in crate::pages) fn decide_by(time: &str) -> String {
    format!("You can decide until {time}.")
}
pub(in crate::pages) fn then_within(seconds: u64) -> String {
    format!("It must then be done within {}.", duration(seconds))
}
pub(in crate::pages) fn sign(documents: usize) -> String {
    format!("Sign {}", count(documents))
}
pub(in crate::pages) const DONT_SIGN: &str = "Don\u{2019}t sign";
pub(in crate::pages) fn check(documents: usize) -> String {
    format!("Check {}", count(documents))
}
pub(in crate::pages) const DONT_CHECK: &str = "Don\u{2019}t check";
pub(in crate::pages) const ALLOW: &str = "Allow";
pub(in crate::pages) const DONT_ALLOW: &str = "Don\u{2019}t allow";

pub(in crate::pages) const LINK_BROKEN: &str = "This link does not work";
pub(in crate::pages) const LINK_BROKEN_HELP: &str = "Go back to the application that sent you here and start again. If that does not help, tell its operator:";
pub(in crate::pages) const OVER: &str = "This sign-in is over";
pub(in crate::pages) const OVER_HELP: &str = "It was finished, or too much time has passed. Go back to the application that sent you here and start again.";
pub(in crate::pages) const OTHER_BROWSER: &str = "This sign-in began in another browser";
pub(in crate::pages) const OTHER_BROWSER_HELP: &str = "Go on in the browser in which you began, and let it keep cookies for this site. Or go back to the application \
     that sent you here and start again.";
pub(in crate::pages) const FOREIGN: &str = "We did not do what this form asks for";
pub(in crate::pages) const FOREIGN_HELP: &str =
    "It did not come from our own page. Go back to the application that sent you here and start again.";
pub(in crate::pages) const TRY_LATER: &str = "Try again in a moment";
pub(in crate::pages) const TRY_LATER_HELP: &str =
    "There are too many requests right now. Nothing was signed or sent.";
pub(in crate::pages) const FAILED: &str = "Something went wrong on our side";
pub(in crate::pages) const FAILED_HELP: &str = "Nothing was signed or sent. Try again in a moment.";

fn count(documents: usize) -> String {
    if documents == 1 { "1 document".to_owned() } else { format!("{documents} documents") }
}

fn duration(seconds: u64) -> String {
    let (number, unit) = if seconds < 120 { (seconds, "second") } else { (seconds.div_ceil(60), "minute") };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

pub(in crate::pages) const NOT_PERMITTED: &str = "You may not administer this server";
pub(in crate::pages) const NOT_PERMITTED_HELP: &str =
    "Ask whoever runs it to give you the role of its administrators.";

pub(in crate::pages) const NO_CONSOLE: &str = "There is no console here";
pub(in crate::pages) const NO_CONSOLE_HELP: &str =
    "The resources of this server name no role of people who administer it.";

pub(in crate::pages) const SIGNED_OUT: &str = "You are signed out";
pub(in crate::pages) const SIGNED_OUT_HELP: &str = "Nobody can go on from here without signing in.";
pub(in crate::pages) const SIGN_IN_AGAIN: &str = "Sign in again";
pub(in crate::pages) const AS_SOMEBODY_ELSE: &str = "Sign in as somebody else";

pub(in crate::pages) const KEYS: &str = "Signing keys";
pub(in crate::pages) const ALL_RIGHT: &str = "Everything is all right.";
pub(in crate::pages) fn all_right_until(next: &str) -> String {
    format!("Everything is all right. The next key takes over {next}.")
}
pub(in crate::pages) const NOT_ALL_RIGHT: &str = "Something needs you.";
pub(in crate::pages) const LOADED_NOW: &str = "as it is now";
pub(in crate::pages) const TIMELINE: &str = "The life of each key";
pub(in crate::pages) const IN_RESERVE: &str = "in reserve";
pub(in crate::pages) const ANNOUNCED: &str = "announced";
pub(in crate::pages) const SIGNS: &str = "signs";
pub(in crate::pages) const VERIFIES: &str = "verifies";
pub(in crate::pages) const NOW: &str = "now";
pub(in crate::pages) const TOKENS_EXPIRE: &str = "Its last token expires by";
pub(in crate::pages) const MISSING_AT: &str = "Not served yet by";
pub(in crate::pages) const REASON: &str = "Reason";
pub(in crate::pages) const REVOKE_KEY: &str = "Revoke";
pub(in crate::pages) const SINCE: &str = "Since";
pub(in crate::pages) const SHOW_ALL: &str = "Show them, too";
pub(in crate::pages) const HIDDEN: &str = "Keys that left long ago:";
pub(in crate::pages) const REPLICAS: &str = "Replicas";
pub(in crate::pages) const SERVES_NEWEST: &str = "serves the newest set";
pub(in crate::pages) const SERVES_OLDER: &str = "serves an older set";
pub(in crate::pages) const SEEN: &str = "seen";
pub(in crate::pages) const CONDITIONS: &str = "Conditions";
pub(in crate::pages) const SESSION_ENDS: &str = "You are signed in; that ends";
pub(in crate::pages) const SIGN_OUT: &str = "Sign out";
pub(in crate::pages) fn state(state: &str) -> &'static str {
    match state {
        "staged" => "lies in reserve",
        "published" => "is announced",
        "active" => "signs",
        "verifying" => "verifies",
        "evicted" => "has left",
        _ => "was revoked",
    }
}
pub(in crate::pages) fn then(next: &str, agreed: bool) -> String {
    let what = match next {
        "published" => "Is announced",
        "active" => "Begins to sign",
        "verifying" => "Stops signing",
        _ => return "Leaves the set".to_owned(),
    };
    format!("{what}, {}", if agreed { "as all replicas agreed" } else { "as planned" })
}
pub(in crate::pages) const ROTATE: &str = "Rotate";
pub(in crate::pages) const ROTATE_TITLE: &str = "Have the next keys take over?";
pub(in crate::pages) const ROTATE_NOW: &str = "Rotate now";
pub(in crate::pages) const ROTATE_NOW_TITLE: &str = "Have the next keys take over now?";
pub(in crate::pages) const REVOKE: &str = "Revoke this key";
pub(in crate::pages) fn revoke_title(kid: &str) -> String {
    format!("Revoke {kid}?")
}
pub(in crate::pages) const ENDS_SESSION: &str = "It signed you in, so that you sign in again afterwards.";
pub(in crate::pages) const REASON_LABEL: &str = "Why?";
pub(in crate::pages) const REASON_HINT: &str = "It stands in the audit log.";
pub(in crate::pages) const LEAVE_AS_IS: &str = "Leave everything as it is";
pub(in crate::pages) const KEYS_UNCHANGED: &str = "The keys stay as they are";
