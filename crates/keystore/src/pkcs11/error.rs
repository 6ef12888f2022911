//! What a token and its driver can refuse, in words that say what to do.

use std::path::PathBuf;

use cryptoki::error::{Error, RvError};
use sealwright_jose::Alg;

use crate::KeystoreError;

/// Why a PKCS#11 token does not do what it was asked for. Somebody must do something about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The driver cannot be loaded, or is none.
    #[error("the PKCS#11 module {} cannot be used: {what}", path.display())]
    Module {
        /// Where it was looked for.
        path: PathBuf,
        /// What the loader or the module said.
        what: String,
    },
    /// The module has no such token.
    #[error("there is no PKCS#11 token {wanted}; the module has {}", listed(there))]
    Missing {
        /// The label or slot that was looked for.
        wanted: String,
        /// The labels of the tokens that are there.
        there: Vec<String>,
    },
    /// Several tokens have this label.
    #[error("several PKCS#11 tokens are labelled `{0}`; name the one that is meant by `slot`")]
    Ambiguous(String),
    /// The PIN is wrong. It was tried once and is not tried again, since tokens lock after a few attempts.
    #[error(
        "the PKCS#11 token {0} refused the PIN; it is not tried again, so that the token does not lock: correct it and start anew"
    )]
    Pin(String),
    /// The PIN was wrong too often, or was never set.
    #[error("the PKCS#11 token {0} is locked or its user PIN was never set; its security officer can set it")]
    PinLocked(String),
    /// There is no room left.
    #[error("the PKCS#11 token {0} is full; remove keys that are no longer needed")]
    Full(String),
    /// The token does not take new objects.
    #[error("the PKCS#11 token {0} is write-protected")]
    WriteProtected(String),
    /// The token has no mechanism for this algorithm.
    #[error("the PKCS#11 token {token} cannot do {}: {what}", alg.name())]
    Algorithm {
        /// The label or slot.
        token: String,
        /// The algorithm.
        alg: Alg,
        /// What is missing.
        what: String,
    },
    /// The key is not there any more, or never was.
    #[error("the PKCS#11 token {token} has no {what} `{kid}`")]
    KeyMissing {
        /// The label or slot.
        token: String,
        /// What kind of key it is, in words.
        what: &'static str,
        /// The key's name.
        kid: String,
    },
    /// A key in the token is not as it must be.
    #[error("the PKCS#11 token {token}, key `{kid}`: {what}")]
    Key {
        /// The label or slot.
        token: String,
        /// The key's name.
        kid: String,
        /// What is wrong with it.
        what: String,
    },
    /// Anything else that it refused.
    #[error("the PKCS#11 token {token} refused: {what}")]
    Refused {
        /// The label or slot.
        token: String,
        /// Which function, and the name of its return value.
        what: String,
    },
}

/// So many labels help; more would bury the sentence.
const SHOWN: usize = 8;

fn listed(labels: &[String]) -> String {
    if labels.is_empty() {
        return "none".into();
    }
    let mut text = labels.iter().take(SHOWN).map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
    if labels.len() > SHOWN {
        text += &format!(" and {} more", labels.len() - SHOWN);
    }
    text
}

/// What can be done about an error of the module.
pub(super) enum Remedy {
    /// A new session may help: the token went away, or the session did. If not, this is what to say.
    Reconnect(KeystoreError),
    /// It says nothing. Drivers answer so when their token was pulled out, too, which a new session tells.
    Retry(TokenError),
    /// Nothing will now.
    None(KeystoreError),
}

/// Sorts an error of the module; `token` names the token.
pub(super) fn remedy(error: &Error, token: &str) -> Remedy {
    let Error::Pkcs11(code, _) = error else {
        return Remedy::None(TokenError::Refused { token: token.to_owned(), what: error.to_string() }.into());
    };
    let token = token.to_owned();
    let away =
        || KeystoreError::Unavailable(format!("the PKCS#11 token {token} does not answer: {}", brief(error)));
    let refused = match code {
        RvError::DeviceError
        | RvError::DeviceRemoved
        | RvError::TokenNotPresent
        | RvError::TokenNotRecognized
        | RvError::SlotIdInvalid
        | RvError::SessionHandleInvalid
        | RvError::SessionClosed
        | RvError::UserNotLoggedIn
        | RvError::KeyHandleInvalid
        | RvError::ObjectHandleInvalid
        | RvError::CryptokiNotInitialized
        | RvError::OperationActive => return Remedy::Reconnect(away()),
        RvError::GeneralError | RvError::FunctionFailed => {
            return Remedy::Retry(TokenError::Refused { token, what: brief(error) });
        }
        // Others have them, and give them back; ending our own sessions would only disturb who uses them.
        RvError::SessionCount | RvError::HostMemory => return Remedy::None(away()),
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => TokenError::Pin(token),
        RvError::PinLocked | RvError::PinExpired => TokenError::PinLocked(token),
        // A module that met the token while it was being made goes on believing so.
        RvError::UserPinNotInitialized => return Remedy::Reconnect(TokenError::PinLocked(token).into()),
        RvError::DeviceMemory => TokenError::Full(token),
        RvError::TokenWriteProtected | RvError::SessionReadOnly => TokenError::WriteProtected(token),
        _ => TokenError::Refused { token, what: brief(error) },
    };
    Remedy::None(refused.into())
}

/// The error in few words: the names that PKCS#11 has for the function and its return value.
pub(super) fn brief(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("{code:?} from C_{function:?}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    /// SoftHSM never says these, so that the real module cannot be made to.
    #[test]
    fn full_locked_and_write_protected_tokens_are_called_so() {
        let said = |code| match remedy(&Error::Pkcs11(code, Function::GenerateKeyPair), "`t`") {
            Remedy::Reconnect(_) => "reconnect".to_owned(),
            Remedy::Retry(_) => "retry".to_owned(),
            Remedy::None(error) => error.to_string(),
        };
        assert_eq!(
            said(RvError::DeviceMemory),
            "the PKCS#11 token `t` is full; remove keys that are no longer needed"
        );
        assert_eq!(said(RvError::TokenWriteProtected), "the PKCS#11 token `t` is write-protected");
        assert_eq!(
            said(RvError::PinLocked),
            "the PKCS#11 token `t` is locked or its user PIN was never set; its security officer can set it"
        );
        assert_eq!(
            said(RvError::MechanismInvalid),
            "the PKCS#11 token `t` refused: MechanismInvalid from C_GenerateKeyPair"
        );
        assert_eq!(said(RvError::DeviceRemoved), "reconnect");
    }

    #[test]
    fn what_others_use_up_is_free_again_later() {
        for code in [RvError::SessionCount, RvError::HostMemory] {
            let remedy = remedy(&Error::Pkcs11(code, Function::OpenSession), "`t`");
            assert!(matches!(remedy, Remedy::None(KeystoreError::Unavailable(_))), "{code:?}");
        }
    }
}
