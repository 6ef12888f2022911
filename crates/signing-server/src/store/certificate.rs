//! The certificates of internal authorities.

use sealwright_service::{clock::Timestamp, database::Database};

/// The certificate of the authority `name`: what is stored, or else `der`, which is stored by this.
///
/// Insert and read: if two servers start at the same time on one database, both go on with the one
/// certificate that was first.
pub(crate) async fn authority_certificate(
    database: &Database,
    name: &str,
    kid: &str,
    der: Option<&[u8]>,
    now: Timestamp,
) -> sqlx::Result<Option<Vec<u8>>> {
    if let Some(der) = der {
        sqlx::query(
            "INSERT INTO certificate_authority (name, kid, certificate, created_at)
             VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(kid)
        .bind(base64_simd::STANDARD.encode_to_string(der))
        .bind(now.as_millis())
        .execute(database.writer())
        .await?;
    }
    let stored: Option<(String,)> =
        sqlx::query_as("SELECT certificate FROM certificate_authority WHERE name = $1")
            .bind(name)
            .fetch_optional(database.writer())
            .await?;
    stored
        .map(|(text,)| {
            base64_simd::STANDARD.decode_to_vec(text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
        })
        .transpose()
}
