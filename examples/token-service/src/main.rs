//! A token service: `POST /api/v1/auth` gives a token for a login, `GET /.well-known/jwks.json` the keys to verify it.

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use axum::extract::{FromRequest, Request, State};
use axum::{Form, Json, Router, http::StatusCode, response, routing::get, routing::post};
use sealwright_jose::{Alg, JwkSet, SigningKey, jws::Signer};
use sealwright_service::random::id;
use serde_json::{Value, json};
use std::{env::var, error::Error, fmt::Display, net::Ipv4Addr, sync::Arc, time::Duration, time::SystemTime};
use tokio::{net::TcpListener, sync::RwLock, task::spawn_blocking, time::sleep};

const LIFETIME_S: u64 = 20 * 60;
/// The users; and the next key, today's, and those before it, whose tokens may still be valid.
type App = State<(sqlx::SqlitePool, Arc<RwLock<Vec<SigningKey>>>)>;

async fn log_in(State((users, keys)): App, sent: Request) -> response::Result<Json<Value>> {
    let login: Value = match sent.headers().get("content-type") {
        Some(it) if it.as_bytes().starts_with(b"application/json") => Json::from_request(sent, &()).await?.0,
        _ => Form::from_request(sent, &()).await?.0,
    };
    // A check of a password takes much memory. It holds a connection, so that a flood of them waits for the pool.
    let mut held = users.acquire().await.map_err(failed)?;
    // Who is unknown is checked against another's password, and so takes as long as who is known.
    let find = "SELECT hash, role, name IS $1 FROM users ORDER BY name IS $1 DESC LIMIT 1";
    let user = sqlx::query_as::<_, (String, String, bool)>(find).bind(login["userName"].as_str());
    let (hash, role, known) = user.fetch_one(&mut *held).await.map_err(failed)?;
    let fits = spawn_blocking(move || {
        let (_held, password) = (held, login["password"].as_str().unwrap_or_default());
        Argon2::default().verify_password(password.as_bytes(), &PasswordHash::new(&hash)?)
    });
    if fits.await.map_err(failed)?.is_err() || !known {
        return Err((StatusCode::UNAUTHORIZED, Json(json!({ "message": "credentials not correct" }))).into());
    }
    let iat = SystemTime::UNIX_EPOCH.elapsed().map_err(failed)?.as_secs();
    let (exp, sid, jti) = (iat + LIFETIME_S, id(""), id(""));
    let claims = json!({ "sessionId": sid, "role": role, "exp": exp, "iat": iat, "nbf": iat, "jti": jti });
    let signer = Signer::new(&keys.read().await[1]);
    Ok(Json(json!({ "jwt": signer.sign_compact(claims.to_string().as_bytes()).map_err(failed)? })))
}

async fn jwks(State((_, keys)): App) -> response::Result<impl response::IntoResponse> {
    let set = JwkSet::from_keys(keys.read().await.iter().map(SigningKey::verifying_key)).map_err(failed)?;
    Ok(([("content-type", "application/json")], set.to_json()))
}

fn failed(error: impl Display) -> StatusCode {
    eprintln!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let users = sqlx::SqlitePool::connect("sqlite:users.db?mode=rwc").await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS users (name PRIMARY KEY, hash, role)").execute(&users).await?;
    for (name, role) in [("Jane", "write"), ("John", "read")] {
        let password = id("");
        let hash = Argon2::default().hash_password(password.as_bytes())?.to_string();
        let user = sqlx::query("INSERT INTO users VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
        if user.bind(name).bind(hash).bind(role).execute(&users).await?.rows_affected() == 1 {
            println!("made the user {name} with the password {password}");
        }
    }
    let new_key = || SigningKey::generate(Alg::Rs256).map(|key| key.with_kid(id("key-")));
    let keys = Arc::new(RwLock::new(vec![new_key()?, new_key()?]));
    let routes = Router::new().route("/api/v1/auth", post(log_in)).route("/.well-known/jwks.json", get(jwks));
    let service = routes.with_state((users, keys.clone()));
    let port = var("JWKPORT").map_or(Ok(3001), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("token service on http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, service).await });
    let rotate_s = var("ROTATE_S").map_or(Ok(24 * 60 * 60), |seconds| seconds.parse::<u64>())?.max(1);
    loop {
        sleep(Duration::from_secs(rotate_s)).await;
        let next = spawn_blocking(new_key).await??;
        let mut keys = keys.write().await;
        keys.insert(0, next);
        keys.truncate(2 + (LIFETIME_S + 60).div_ceil(rotate_s) as usize);
    }
}
