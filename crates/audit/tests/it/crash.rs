use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sealwright_audit::{Receipt, verify};
use sealwright_testkit::database::on_both_storages;

use crate::{MIGRATORS, entry, key, quiet, report, start, verdict, with_key};

/// The runtime is thrown away in the middle of the work, and all tasks with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_crash() {
    on_both_storages(async |storage| {
        let key = key();
        let acknowledged: Arc<Mutex<Vec<Receipt>>> = Arc::default();
        let storage = Arc::new(storage);
        let crash = {
            let (storage, key, acknowledged) = (storage.clone(), key.clone(), acknowledged.clone());
            move || {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let db = storage.open(MIGRATORS).await;
                    let log = start(&db, &key, quiet()).await.unwrap();
                    for nr in 0..20 {
                        let (log, acknowledged) = (log.clone(), acknowledged.clone());
                        tokio::spawn(async move {
                            loop {
                                let receipt = log.append(entry(nr)).await.unwrap();
                                acknowledged.lock().unwrap().push(receipt);
                            }
                        });
                    }
                    while acknowledged.lock().unwrap().len() < 200 {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                });
                runtime.shutdown_background();
            }
        };
        tokio::task::spawn_blocking(crash).await.unwrap();

        let db = storage.open(MIGRATORS).await;
        let log = start(&db, &key, quiet()).await.unwrap();
        log.checkpoint().await.unwrap();
        let whole = report(&db, &with_key(&key)).await;
        assert_eq!(verdict(&whole), "whole");
        let acknowledged = acknowledged.lock().unwrap().clone();
        assert!(whole.entries >= acknowledged.len() as i64);
        for receipt in acknowledged.iter().step_by(20).chain(acknowledged.last()) {
            let options = verify::Options { receipt: Some(receipt.clone()), ..with_key(&key) };
            assert_eq!(report(&db, &options).await.receipt_found, Some(true));
        }
        db.close().await;
    })
    .await;
}
