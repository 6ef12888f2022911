//! Starts the two servers from the resources that were written, as `sealwright serve` would.

use std::{net::TcpListener, path::Path};

use sealwright_service::{
    clock::Clock,
    resource::{self, Report},
    shutdown::Shutdown,
};

use super::{
    Failure,
    resources::{Addresses, Written},
};

impl Addresses {
    /// Two loopback ports that are free now. Both stay taken until both are known, so that they differ.
    pub(super) fn free() -> Result<Self, Failure> {
        let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
        let [authorization, signing] = listeners.map(|listener| listener.local_addr());
        Ok(Self {
            authorization: format!("http://{}", authorization?),
            signing: format!("http://{}", signing?),
        })
    }
}

/// Both servers, running.
pub(super) struct Servers {
    authorization: Vec<sealwright_authorization_server::Running>,
    signing: Vec<sealwright_signing_server::Running>,
}

impl Servers {
    pub(super) async fn start(written: &Written, shutdown: &Shutdown) -> Result<Self, Failure> {
        let clock = Clock::system();
        let mut report = Report::default();
        let resources = load(&written.authorization_server, &mut report);
        let authorization = sealwright_authorization_server::configure(&resources, &mut report);
        let resources = load(&written.signing_server, &mut report);
        let signing = sealwright_signing_server::configure(&resources, &mut report);
        if !report.is_empty() {
            return Err(Failure::new(report.to_string()));
        }
        let mut servers = Self { authorization: Vec::new(), signing: Vec::new() };
        for config in authorization {
            let running =
                sealwright_authorization_server::start(config, clock.clone(), shutdown.clone()).await;
            servers.authorization.push(running.map_err(|error| Failure::server("authorization", error))?);
        }
        for config in signing {
            let running = sealwright_signing_server::start(config, clock.clone(), shutdown.clone()).await;
            servers.signing.push(running.map_err(|error| Failure::server("signing", error))?);
        }
        Ok(servers)
    }

    /// Waits until both have answered what they had begun and closed their logs.
    pub(super) async fn stopped(self) -> Result<(), Failure> {
        for server in self.authorization {
            server.join().await.map_err(|error| Failure::server("authorization", error))?;
        }
        for server in self.signing {
            server.join().await.map_err(|error| Failure::server("signing", error))?;
        }
        Ok(())
    }
}

fn load(file: &Path, report: &mut Report) -> Vec<resource::Resource> {
    resource::load(&[file.to_owned()], report)
}
