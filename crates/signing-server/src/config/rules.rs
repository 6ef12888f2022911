//! `Authorizer.spec.rules`: what the claims must be.

use schemars::JsonSchema;
use sealwright_resource_server::rules::{ClaimPath, Op, Rule};
use sealwright_service::resource::{Report, Resource};
use serde::Deserialize;
use serde_json::Value;

/// One rule: `claim` with `op` and its `value` or `values`, or `scope`, or other rules in `all` or `any`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RuleSpec {
    /// The claim's name, or the path to it as a list.
    claim: Option<ClaimSpec>,
    /// What is asked of the claim.
    op: Option<OpName>,
    /// For `equals` and `contains`, and a text for `prefix`.
    value: Option<Value>,
    /// For `contains_any` and `one_of`.
    values: Option<Vec<Value>>,
    /// A word that must be in `scope`.
    scope: Option<String>,
    /// Rules that must all hold.
    all: Option<Vec<RuleSpec>>,
    /// Rules of which one must hold.
    any: Option<Vec<RuleSpec>>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum ClaimSpec {
    Name(String),
    Path(Vec<String>),
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OpName {
    /// The claim is there.
    Present,
    /// It is `value`.
    Equals,
    /// It is a list with `value` in it.
    Contains,
    /// It is a list with one of `values` in it.
    ContainsAny,
    /// It is one of `values`.
    OneOf,
    /// It is a text that starts with `value`.
    Prefix,
}

/// `Authorizer.spec.match`.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum MatchName {
    #[default]
    All,
    Any,
}

impl MatchName {
    pub(super) fn of(self, rules: Vec<Rule>) -> Rule {
        match self {
            Self::All => Rule::All(rules),
            Self::Any => Rule::Any(rules),
        }
    }
}

/// Reads the rules at `path`; what is wrong with one is reported where it stands.
pub(super) fn read(specs: Vec<RuleSpec>, path: &str, resource: &Resource, report: &mut Report) -> Vec<Rule> {
    let read_one = |(index, spec)| read_rule(spec, &format!("{path}[{index}]"), resource, report);
    specs.into_iter().enumerate().filter_map(read_one).collect()
}

fn read_rule(spec: RuleSpec, path: &str, resource: &Resource, report: &mut Report) -> Option<Rule> {
    let of_claim = [spec.op.is_some(), spec.value.is_some(), spec.values.is_some()].contains(&true);
    let rule = match spec {
        RuleSpec { claim: Some(claim), op: Some(op), value, values, scope: None, all: None, any: None } => {
            read_claim(claim, op, value, values)
        }
        RuleSpec { claim: None, scope: Some(scope), all: None, any: None, .. } if !of_claim => {
            read_scope(scope)
        }
        RuleSpec { claim: None, scope: None, all: Some(all), any: None, .. }
            if !of_claim && !all.is_empty() =>
        {
            return Some(Rule::All(read(all, &format!("{path}.all"), resource, report)));
        }
        RuleSpec { claim: None, scope: None, all: None, any: Some(any), .. }
            if !of_claim && !any.is_empty() =>
        {
            return Some(Rule::Any(read(any, &format!("{path}.any"), resource, report)));
        }
        _ => Err(
            "must be `claim` and `op` with its `value` or `values`, or `scope`, or a list of rules in `all` or `any`",
        ),
    };
    rule.map_err(|message| resource.fault(path, message, report)).ok()
}

fn read_scope(scope: String) -> Result<Rule, &'static str> {
    if scope.is_empty() || scope.contains(char::is_whitespace) {
        return Err("`scope` must be one word");
    }
    Ok(Rule::Scope(scope))
}

fn read_claim(
    claim: ClaimSpec,
    op: OpName,
    value: Option<Value>,
    values: Option<Vec<Value>>,
) -> Result<Rule, &'static str> {
    let parts = match claim {
        ClaimSpec::Name(name) => vec![name],
        ClaimSpec::Path(parts) => parts,
    };
    if parts.is_empty() || parts.iter().any(String::is_empty) {
        return Err("`claim` must name a claim");
    }
    Ok(Rule::claim(ClaimPath::new(parts)).must(read_op(op, value, values)?))
}

fn read_op(op: OpName, value: Option<Value>, values: Option<Vec<Value>>) -> Result<Op, &'static str> {
    match (op, value, values) {
        (OpName::Present, None, None) => Ok(Op::Present),
        (OpName::Present, ..) => Err("`present` takes neither `value` nor `values`"),
        (OpName::Equals, Some(value), None) => Ok(Op::Equals(value)),
        (OpName::Contains, Some(value), None) => Ok(Op::Contains(value)),
        (OpName::Prefix, Some(Value::String(start)), None) if !start.is_empty() => Ok(Op::Prefix(start)),
        (OpName::Prefix, ..) => Err("`prefix` takes a text as `value`, which must not be empty"),
        (OpName::Equals | OpName::Contains, ..) => {
            Err("`equals` and `contains` take one `value`, which must not be null")
        }
        (OpName::ContainsAny | OpName::OneOf, None, Some(values)) if are_some(&values) => Ok(match op {
            OpName::ContainsAny => Op::ContainsAny(values),
            _ => Op::OneOf(values),
        }),
        (OpName::ContainsAny | OpName::OneOf, ..) => {
            Err("`contains_any` and `one_of` take a list of `values`, of which none may be null")
        }
    }
}

fn are_some(values: &[Value]) -> bool {
    !values.is_empty() && !values.iter().any(Value::is_null)
}
