//! Everything in turn, round after round, so that a noisy moment hits all alike.

use std::collections::BTreeMap;

use crate::{
    Arguments, Result,
    keys::{self, Costs},
    load::{Answered, Question, Wrk},
    server::{ROTATING, Server},
};

/// The algorithms, with the names of our clients that want them.
pub(crate) const ALGS: [(&str, &str); 2] = [("RS256", "default_rs256"), ("ES256", "default_es256")];

const CONNECTIONS: u32 = 64;
/// So few connections keep the processor from being full, so that a pause shows as a pause and not as a queue.
const CALM_CONNECTIONS: u32 = 4;

/// What one way of one server answered, by round.
pub(crate) type Ways = BTreeMap<Way, Vec<Answered>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Tokens(Whose, &'static str),
    Jwks(Whose),
    /// Tokens over few connections, without and with keys that change every six seconds.
    Steady(&'static str),
    Rotating(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whose {
    Ours,
    Node,
}

/// All that a run found.
#[derive(Default)]
pub(crate) struct Measured {
    /// Of each round.
    pub(crate) costs: Vec<Costs>,
    /// Bare signatures a second, by algorithm and round: each just before our tokens, for as long.
    pub(crate) bare: BTreeMap<&'static str, Vec<f64>>,
    pub(crate) ways: Ways,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Measured> {
    let wrk = Wrk { program: &arguments.wrk, script: &arguments.script };
    let mut measured = Measured::default();
    throughput(arguments, &wrk, &mut measured)?;
    rotation(arguments, &wrk, &mut measured)?;
    Ok(measured)
}

fn throughput(arguments: &Arguments, wrk: &Wrk<'_>, measured: &mut Measured) -> Result<()> {
    let (rounds, seconds) = if arguments.quick { (1, 1) } else { (7, 2) };
    let ours = Server::sealwright(&arguments.sealwright, arguments.folder.join("steady"), "")?;
    let node_rs256 = Server::node(&arguments.node_server, "RS256")?;
    let node_es256 = Server::node(&arguments.node_server, "ES256")?;
    let mut ways: Vec<(Way, Question)> =
        vec![(Way::Jwks(Whose::Ours), ours.jwks()), (Way::Jwks(Whose::Node), node_es256.jwks())];
    for (alg, client) in ALGS {
        let node = if alg == "RS256" { &node_rs256 } else { &node_es256 };
        ways.push((Way::Tokens(Whose::Ours, alg), ours.tokens(client)));
        ways.push((Way::Tokens(Whose::Node, alg), node.tokens("robot")));
    }
    // The first round warms up; each starts with another way.
    for round in 0..=rounds {
        eprintln!("  throughput, round {round} of {rounds}");
        let costs = keys::on_the_servers_core()?;
        ways.rotate_left(1);
        for (way, question) in &ways {
            if let Way::Tokens(Whose::Ours, alg) = way {
                let bare = keys::a_second_on_the_servers_core(alg, seconds)?;
                if round > 0 {
                    measured.bare.entry(alg).or_default().push(bare);
                }
            }
            let answered = wrk.ask(question, CONNECTIONS, seconds)?;
            if round > 0 {
                measured.ways.entry(*way).or_default().push(answered);
            }
        }
        if round > 0 {
            measured.costs.push(costs);
        }
    }
    Ok(())
}

fn rotation(arguments: &Arguments, wrk: &Wrk<'_>, measured: &mut Measured) -> Result<()> {
    let (rounds, seconds) = if arguments.quick { (1, 12) } else { (4, 12) };
    let steady = Server::sealwright(&arguments.sealwright, arguments.folder.join("steady"), "")?;
    for round in 0..rounds {
        eprintln!("  rotation, round {} of {rounds}", round + 1);
        for (alg, client) in ALGS {
            let answered = wrk.ask(&steady.tokens(client), CALM_CONNECTIONS, seconds)?;
            measured.ways.entry(Way::Steady(alg)).or_default().push(answered);
            // It makes keys all the time, so it must not be there while the other one is asked.
            let rotating =
                Server::sealwright(&arguments.sealwright, arguments.folder.join("rotating"), ROTATING)?;
            let answered = wrk.ask(&rotating.tokens(client), CALM_CONNECTIONS, seconds)?;
            measured.ways.entry(Way::Rotating(alg)).or_default().push(answered);
        }
    }
    Ok(())
}
