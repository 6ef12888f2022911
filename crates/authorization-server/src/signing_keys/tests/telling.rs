//! What replicas on PostgreSQL have from it beside the keys: news at once, and the time.

use sealwright_testkit::database::fresh_postgres;
use sqlx::AssertSqlSafe;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;

#[tokio::test]
async fn a_replica_hears_of_a_change_long_before_its_next_poll() {
    let fresh = fresh_postgres(&[&MIGRATOR, &sealwright_audit::MIGRATOR]).await;
    let mut fleet = Fleet::new(Database::clone(&fresh), &[Alg::Es256]).await;
    fleet.plan.poll = Duration::from_secs(60);
    let Member { turning, keys } = fleet.replica(&provider()).await;
    let (shutdown, (_replacements, wanted)) = (Shutdown::new(), mpsc::channel(1));
    let running = tokio::spawn(turning.run(fleet.audit.clone(), wanted, shutdown.clone()));
    let listeners =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    let began = Instant::now();
    loop {
        let mut conn = fleet.database.reader().acquire().await.unwrap();
        let count: i64 = sqlx::query_scalar(listeners).fetch_one(&mut *conn).await.unwrap();
        if count > 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "nobody listens");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut changes = keys.changes();
    let before = *changes.borrow_and_update();
    fleet.revoke(KeyState::Active).await;
    let heard = timeout(Duration::from_secs(2), changes.wait_for(|epoch| *epoch > before)).await;
    heard.expect("it is told at once").unwrap();
    shutdown.begin();
    running.await.unwrap();
    fresh.close().await;
}

#[tokio::test]
async fn a_replica_whose_clock_is_wrong_goes_by_that_of_the_database() {
    let fresh = fresh_postgres(&[&MIGRATOR, &sealwright_audit::MIGRATOR]).await;
    let ahead = Duration::from_secs(3600);
    let mut conn = fresh.writer().acquire().await.unwrap();
    let name: String =
        sqlx::query_scalar("SELECT CAST(current_database() AS TEXT)").fetch_one(&mut *conn).await.unwrap();
    for statement in [
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS \
         $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$"
            .to_owned(),
        format!("ALTER DATABASE {name} SET search_path = public, pg_catalog"),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *conn).await.unwrap();
    }
    drop(conn);
    // What is connected already goes on by the old setting.
    let database = fresh.storage().open(&[&MIGRATOR, &sealwright_audit::MIGRATOR]).await;
    let clock = Clock::system();
    let fleet = Fleet { clock: clock.clone(), ..Fleet::new(database.clone(), &[Alg::Es256]).await };
    let mut member = fleet.replica(&provider()).await;
    for _ in 0..2 {
        let (right, shown) = (clock.now().plus(ahead), member.keys.now());
        assert!(
            right.since(shown).max(shown.since(right)) < Duration::from_secs(5),
            "{shown} is not {right}"
        );
        member.turn(&fleet).await;
    }
    let began = member.keys.snapshot().ledger.keys.iter().find_map(|key| key.activate_at).unwrap();
    assert!(began > clock.now().plus(ahead / 2), "a key begins by that clock, too");
    database.close().await;
    fresh.close().await;
}
