//! The attributes of a subject: object identifier, bound and string type of each.

use der::{
    asn1::{Any, PrintableStringRef, Utf8StringRef},
    oid::{ObjectIdentifier, db},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// An attribute that a subject can have, by its short name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum AttributeKind {
    /// Common name.
    #[serde(rename = "CN")]
    CommonName,
    /// What tells two people of one name apart (X.520 `serialNumber`).
    #[serde(rename = "serialNumber")]
    SerialNumber,
    /// Country, two capital letters.
    #[serde(rename = "C")]
    Country,
    /// Organization.
    #[serde(rename = "O")]
    Organization,
    /// Organizational unit.
    #[serde(rename = "OU")]
    OrganizationalUnit,
    /// Given name.
    #[serde(rename = "GN")]
    GivenName,
    /// Surname.
    #[serde(rename = "SN")]
    Surname,
    /// Locality.
    #[serde(rename = "L")]
    Locality,
    /// State or province.
    #[serde(rename = "ST")]
    State,
    /// Title.
    #[serde(rename = "title")]
    Title,
    /// Pseudonym.
    #[serde(rename = "pseudonym")]
    Pseudonym,
    /// User id (RFC 4519).
    #[serde(rename = "UID")]
    UserId,
}

impl AttributeKind {
    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::CommonName => db::rfc4519::CN,
            Self::SerialNumber => db::rfc4519::SERIAL_NUMBER,
            Self::Country => db::rfc4519::C,
            Self::Organization => db::rfc4519::O,
            Self::OrganizationalUnit => db::rfc4519::OU,
            Self::GivenName => db::rfc4519::GIVEN_NAME,
            Self::Surname => db::rfc4519::SN,
            Self::Locality => db::rfc4519::L,
            Self::State => db::rfc4519::ST,
            Self::Title => db::rfc4519::TITLE,
            // X.520 §6.2.10; RFC 4519 does not have it.
            Self::Pseudonym => ObjectIdentifier::new_unwrap("2.5.4.65"),
            Self::UserId => db::rfc4519::UID,
        }
    }

    /// The most characters (RFC 5280 appendix A.1).
    pub(crate) fn upper_bound(self) -> usize {
        match self {
            Self::Country => 2,
            Self::Locality | Self::State | Self::Pseudonym => 128,
            Self::UserId => 256,
            Self::CommonName
            | Self::SerialNumber
            | Self::Organization
            | Self::OrganizationalUnit
            | Self::GivenName
            | Self::Surname
            | Self::Title => 64,
        }
    }

    /// The name that resources use.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::CommonName => "CN",
            Self::SerialNumber => "serialNumber",
            Self::Country => "C",
            Self::Organization => "O",
            Self::OrganizationalUnit => "OU",
            Self::GivenName => "GN",
            Self::Surname => "SN",
            Self::Locality => "L",
            Self::State => "ST",
            Self::Title => "title",
            Self::Pseudonym => "pseudonym",
            Self::UserId => "UID",
        }
    }

    /// The value in the string type that its standard wants: `C` and `serialNumber` are PrintableString
    /// where the characters allow it, everything else is UTF8String (RFC 5280 §4.1.2.4).
    pub(super) fn encode(self, text: &str) -> Result<Any, der::Error> {
        let printable = match self {
            Self::Country | Self::SerialNumber => PrintableStringRef::new(text).ok(),
            _ => None,
        };
        match printable {
            Some(printable) => Ok(Any::from(printable)),
            None => Utf8StringRef::new(text).map(Any::from),
        }
    }
}
