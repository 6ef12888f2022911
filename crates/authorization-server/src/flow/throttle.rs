//! How guessing is slowed down: by account, by address, and by both together.

use std::net::IpAddr;
use std::time::Duration;

use sealwright_service::client_address::network;
use sealwright_service::clock::Timestamp;

use crate::domain::handle::HandleHash;
use crate::error::OAuthError;
use crate::state::App;
use crate::store::throttle::{self, Limit};

const HOUR: Duration = Duration::from_secs(60 * 60);
const SECOND: Duration = Duration::from_secs(1);

/// One address guessing at one account.
const ACCOUNT_AND_ADDRESS: Limit =
    Limit { free: 5, first_delay: SECOND, longest_delay: Duration::from_secs(15 * 60), forget_after: HOUR };
/// Many addresses guessing at one account. The delay stays short: its owner waits too.
const ACCOUNT: Limit =
    Limit { free: 10, first_delay: SECOND, longest_delay: Duration::from_secs(60), forget_after: HOUR };
/// One address guessing at many accounts. An office may share one, so more is free.
const ADDRESS: Limit =
    Limit { free: 50, first_delay: SECOND, longest_delay: Duration::from_secs(5 * 60), forget_after: HOUR };
/// Somebody who has the password and guesses codes.
const SECOND_FACTOR: Limit =
    Limit { free: 5, first_delay: SECOND, longest_delay: Duration::from_secs(15 * 60), forget_after: HOUR };

/// An attempt that was let through; say how it ended.
pub(crate) struct Attempt {
    account_and_address: Taken,
    account: Taken,
    address: Taken,
}

/// What an attempt changed at one key.
struct Taken {
    key: HandleHash,
    blocked_until: Timestamp,
}

impl Taken {
    fn at(key: HandleHash) -> Self {
        Self { key, blocked_until: Timestamp::from_millis(0) }
    }
}

/// Takes an attempt on a password, or says how long to wait.
///
/// All three limits are asked in one transaction, so an attempt that one of them refuses does not count for the others:
/// else somebody far away could lengthen the delay of a person's own address.
pub(crate) async fn attempt(
    app: &App,
    username: &str,
    address: IpAddr,
) -> Result<Result<Attempt, Duration>, OAuthError> {
    let now = app.now();
    let network = network(address).to_string();
    let mut attempt = Attempt {
        account_and_address: Taken::at(key("account+address", &format!("{username}\n{network}"))),
        account: Taken::at(key("account", username)),
        address: Taken::at(key("address", &network)),
    };
    let limits = [
        (&mut attempt.account_and_address, ACCOUNT_AND_ADDRESS),
        (&mut attempt.account, ACCOUNT),
        (&mut attempt.address, ADDRESS),
    ];
    let mut tx = app.database.begin_write().await?;
    for (taken, limit) in limits {
        match throttle::take_attempt(&mut tx, &taken.key, limit, now).await? {
            Some(blocked_until) => taken.blocked_until = blocked_until,
            None => {
                let wait = throttle::blocked_for(&mut tx, &taken.key, now).await?;
                tx.rollback().await?;
                return Ok(Err(wait));
            }
        }
    }
    tx.commit().await?;
    Ok(Ok(attempt))
}

/// The password was right.
pub(crate) async fn succeeded(app: &App, attempt: &Attempt) -> Result<(), OAuthError> {
    let mut tx = app.database.begin_write().await?;
    throttle::forget(&mut tx, &attempt.account_and_address.key).await?;
    throttle::forget(&mut tx, &attempt.account.key).await?;
    throttle::give_back(&mut tx, &attempt.address.key, attempt.address.blocked_until).await?;
    tx.commit().await?;
    Ok(())
}

/// The password was not looked at: the server had too much to do, which is nobody's failure.
pub(crate) async fn undone(app: &App, attempt: &Attempt) -> Result<(), OAuthError> {
    let mut tx = app.database.begin_write().await?;
    for taken in [&attempt.account_and_address, &attempt.account, &attempt.address] {
        throttle::give_back(&mut tx, &taken.key, taken.blocked_until).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Takes an attempt on the second factor of `subject`, or says how long to wait.
pub(crate) async fn second_factor_attempt(
    app: &App,
    subject: &str,
) -> Result<Result<(), Duration>, OAuthError> {
    let (key, now) = (key("second-factor", subject), app.now());
    let mut conn = app.database.writer().acquire().await?;
    if throttle::take_attempt(&mut conn, &key, SECOND_FACTOR, now).await?.is_some() {
        return Ok(Ok(()));
    }
    Ok(Err(throttle::blocked_for(&mut conn, &key, now).await?))
}

/// The code was right.
pub(crate) async fn second_factor_succeeded(app: &App, subject: &str) -> Result<(), OAuthError> {
    let mut conn = app.database.writer().acquire().await?;
    throttle::forget(&mut conn, &key("second-factor", subject)).await?;
    Ok(())
}

fn key(kind: &str, what: &str) -> HandleHash {
    HandleHash::of(&format!("{kind}\n{what}"))
}
