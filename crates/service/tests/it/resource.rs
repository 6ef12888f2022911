//! Broken resource files, and what is said about them: each fault with its line and column.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path};

use schemars::JsonSchema;
use sealwright_service::{
    database::StorageSpec,
    resource::{self, DurationField, Report, Resource},
    secret::SecretRef,
};
use sealwright_testkit::temp_dir;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "the shape is what is tested")]
struct DeskSpec {
    listen: SocketAddr,
    url: Option<url::Url>,
    ttl: Option<DurationField>,
    alg: Option<Alg>,
    limit: Option<u32>,
    #[schemars(range(min = 1, max = 4))]
    workers: Option<u8>,
    ratio: Option<f64>,
    enabled: Option<bool>,
    secret: Option<SecretRef>,
    storage: Option<StorageSpec>,
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    claims: BTreeMap<String, String>,
    source: Option<Source>,
    action: Option<Action>,
    value: Option<Mixed>,
    trust: Option<Vec<Trust>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum Alg {
    ES256,
    RS256,
    Ed25519,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "the shape is what is tested")]
struct Rule {
    /// Which claim.
    claim: String,
    op: Option<Op>,
    value: serde_json::Value,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Op {
    /// With a description, schemars writes `oneOf` of constants.
    Equals,
    /// So here.
    Contains,
}

/// Internally tagged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[allow(dead_code, reason = "the shape is what is tested")]
enum Source {
    File { path: String },
    Web { url: url::Url, retries: Option<u8> },
}

/// Externally tagged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "the shape is what is tested")]
enum Action {
    Refuse,
    WaitFor(DurationField),
    Forward { to: String },
}

/// Untagged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the shape is what is tested")]
enum Mixed {
    One(String),
    Many(Vec<String>),
}

/// Untagged maps.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the shape is what is tested")]
enum Trust {
    Authority(Authority),
    File(Anchors),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "the shape is what is tested")]
struct Authority {
    certificate_authority: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "the shape is what is tested")]
struct Anchors {
    file: String,
    pem: Option<bool>,
}

/// What is said of `text`; specs are read as [`DeskSpec`].
fn faults(text: &str) -> String {
    let mut report = Report::default();
    for resource in resource::parse(Path::new("f.yaml"), text, &mut report) {
        resource.spec::<DeskSpec>(&mut report);
    }
    report.to_string()
}

/// What is said of a document with these lines of spec, which begin in line 5.
fn spec(lines: &str) -> String {
    let indented: String = lines.lines().map(|line| format!("  {line}\n")).collect();
    let head = "apiVersion: sealwright.dev/v1alpha1\nkind: Desk\nmetadata: {name: main}\nspec:\n";
    faults(&format!("{head}{indented}")).replace("f.yaml:", "").replace("Desk/main: ", "")
}

/// The same, for a spec whose required part is in line 5 and sound.
fn also(lines: &str) -> String {
    spec(&format!("listen: 127.0.0.1:8080\n{lines}"))
}

#[test]
fn a_sound_spec_has_no_faults() {
    let all = "\
url: https://example.com/a
ttl: 1h30m
alg: ES256
limit: 0x10
workers: 4
ratio: 2
enabled: true
secret: {env: NAME}
storage: {sqlite: {path: a.db}}
rules:
- {claim: groups, op: contains, value: [1, {a: null}]}
- claim: \"yes\"
  value: ~
claims: {given_name: Alice, \"2\": yes}
source: {kind: web, url: \"http://a\", retries: 3}
action: {forward: {to: b}}
value: [a, b]
trust: [{certificateAuthority: x}, {file: y}]";
    assert_eq!(also(all), "");
    assert_eq!(also("action: refuse\nvalue: a\nurl:\nalg: null\nsource: ~\n"), "");
    assert_eq!(also("action: {waitFor: 5s}\nsource: {kind: file, path: x}"), "");
}

#[test]
fn all_faults_are_reported_at_once() {
    let text = "\
listne: 127.0.0.1:8080
ttl: 90
alg: SE256
rules:
  - claim: 5
    opp: equals
    value: a
  - {op: like, value: b}
secret: hunter2
";
    assert_eq!(
        spec(text),
        "\
5:3: spec: missing field `listen`
5:3: spec.listne: unknown field, did you mean `listen`?
6:8: spec.ttl: expected a duration such as `5m`, found a number; add its unit: ms, s, m, h or d
7:8: spec.alg: must be one of `ES256`, `RS256`, `Ed25519`, did you mean `ES256`?
9:14: spec.rules[0].claim: expected text, found a number; put it in quotes
10:7: spec.rules[0].opp: unknown field, did you mean `op`?
12:7: spec.rules[1]: missing field `claim`
12:12: spec.rules[1].op: must be one of `equals`, `contains`
13:11: spec.secret: expected a map, found text"
    );
}

#[test]
fn an_unknown_field_hides_no_other_fault() {
    let text = "apiVersion: sealwright.dev/v1alpha1\nkind: Desk\nmetadata: {name: main}\nspec:\n  \
                listen: 127.0.0.1:8080\n  listne: 1\n  rules: [{claim: a, value: b, valeu: c}]\n";
    let mut report = Report::default();
    let resources = resource::parse(Path::new("f.yaml"), text, &mut report);
    let spec: Option<DeskSpec> = resources[0].spec(&mut report);
    assert_eq!(report.faults.len(), 2, "{report}");
    // What the caller finds in the rest goes into the same report.
    assert_eq!(spec.map(|spec| spec.listen), Some("127.0.0.1:8080".parse().unwrap()));
}

#[test]
fn wrong_types_and_values() {
    for (line, expected) in [
        (
            "url: example.com",
            "6:8: spec.url: expected a URL such as `https://example.com/path` (relative URL without a base)",
        ),
        ("url: 5", "6:8: spec.url: expected a URL, found a number; put it in quotes"),
        ("ttl: \"5\"", "6:8: spec.ttl: a duration needs a unit: ms, s, m, h or d, such as `5m`"),
        (
            "ttl: soon",
            "6:8: spec.ttl: expected a duration such as `5m`, `300s` or `1h30m`, from the largest unit (d, h, m, s, ms) to the smallest",
        ),
        (
            "alg: 256",
            "6:8: spec.alg: expected `ES256` or `RS256` or `Ed25519`, found a number; put it in quotes",
        ),
        ("limit: 1.5", "6:10: spec.limit: expected a whole number, found a number"),
        ("limit: -1", "6:10: spec.limit: must be at least 0"),
        ("limit: \"5\"", "6:10: spec.limit: expected a whole number, found text"),
        ("limit: 4294967296", "6:10: spec.limit: invalid value: integer `4294967296`, expected u32"),
        ("limit: 99999999999999999999", "6:10: this number is too large"),
        ("workers: 5", "6:12: spec.workers: must be at most 4"),
        ("workers: 0", "6:12: spec.workers: must be at least 1"),
        ("ratio: half", "6:10: spec.ratio: expected a number, found text"),
        ("ratio: .inf", "6:10: infinity is not accepted as a number"),
        ("enabled: yes", "6:12: spec.enabled: expected `true` or `false`, found text"),
        ("rules: {claim: a}", "6:10: spec.rules: expected a list, found a map"),
        ("rules:", "6:3: spec.rules: expected a list, found nothing"),
        ("claims: {a: 1}", "6:15: spec.claims.a: expected text, found a number; put it in quotes"),
        ("claims: {a: true}", "6:15: spec.claims.a: expected text, found `true`; put it in quotes"),
        ("claims: [a]", "6:11: spec.claims: expected a map, found a list"),
    ] {
        assert_eq!(also(line), expected, "{line}");
    }
    assert_eq!(spec("listen: localhost"), "5:11: spec.listen: invalid socket address syntax",);
}

#[test]
fn exactly_one_of_several() {
    for (line, expected) in [
        ("secret: {}", "6:11: spec.secret: name exactly one of `env`, `file`"),
        ("secret: {file: a, env: B}", "6:11: spec.secret: name exactly one of `env`, `file`"),
        ("secret: {path: a}", "6:12: spec.secret.path: unknown field; known are `env`, `file`"),
        (
            "storage: {sqlite: {path: a}, postgres: {url: {env: B}}}",
            "6:12: spec.storage: name exactly one of `postgres`, `sqlite`",
        ),
        (
            "storage: {postgres: {url: {env: B}, maxConnections: 0}}",
            "6:55: spec.storage.postgres.maxConnections: must be at least 1",
        ),
        ("storage: {postgres: {}}", "6:23: spec.storage.postgres: missing field `url`"),
    ] {
        assert_eq!(also(line), expected, "{line}");
    }
}

#[test]
fn enums_with_content() {
    for (line, expected) in [
        ("source: {path: x}", "6:11: spec.source: missing field `kind`"),
        (
            "source: {kind: fiel, path: x}",
            "6:18: spec.source.kind: must be one of `file`, `web`, did you mean `file`?",
        ),
        ("source: {kind: [file]}", "6:18: spec.source.kind: must be one of `file`, `web`, found a list"),
        (
            "source: {kind: file, url: \"http://a\"}",
            "6:11: spec.source: missing field `path`\n6:24: spec.source.url: unknown field; known are `kind`, `path`",
        ),
        ("source: file", "6:11: spec.source: expected a map, found text"),
        (
            "action: refsue",
            "6:11: spec.action: must be one of `refuse`, `waitFor`, `forward`, did you mean `refuse`?",
        ),
        ("action: {waitfor: 5s}", "6:12: spec.action.waitfor: unknown field, did you mean `waitFor`?"),
        (
            "action: {waitFor: 5}",
            "6:21: spec.action.waitFor: expected a duration such as `5m`, found a number; add its unit: ms, s, m, h or d",
        ),
        (
            "action: {forward: {to: a}, waitFor: 5s}",
            "6:11: spec.action: name exactly one of `waitFor`, `forward`",
        ),
        ("action: 5", "6:11: spec.action: must be one of `refuse`, `waitFor`, `forward`, found a number"),
        ("value: 5", "6:10: spec.value: expected text or a list, found a number"),
        ("value: [a, 5]", "6:14: spec.value[1]: expected text, found a number; put it in quotes"),
        (
            "trust: [{fiel: x}]",
            "6:11: spec.trust[0]: missing field `certificateAuthority`\n6:12: spec.trust[0].fiel: unknown field; known are `certificateAuthority`",
        ),
        ("trust: [{file: x, pme: true}]", "6:21: spec.trust[0].pme: unknown field, did you mean `pem`?"),
    ] {
        assert_eq!(also(line), expected, "{line}");
    }
}

#[test]
fn no_value_of_the_wrong_type_is_repeated() {
    for line in [
        "secret: hunter2",
        "source: hunter2",
        "rules: hunter2",
        "limit: hunter2",
        "storage: {postgres: {url: hunter2}}",
        "trust: [hunter2]",
        "action: hunter2",
    ] {
        assert!(!also(line).contains("hunter2"), "{line}: {}", also(line));
    }
}

#[test]
fn broken_envelopes() {
    for (text, expected) in [
        ("", "f.yaml: there is no resource in this file"),
        ("# nothing\n---\n---\n", "f.yaml: there is no resource in this file"),
        ("- a\n", "f.yaml:1:1: expected a map, found a list"),
        ("hello\n", "f.yaml:1:1: expected a map, found text"),
        (
            "kind: Desk\n",
            "f.yaml:1:1: Desk/?: missing field `apiVersion`\nf.yaml:1:1: Desk/?: missing field `metadata`\nf.yaml:1:1: Desk/?: missing field `spec`",
        ),
        (
            "apiVersion: sealwright.dev/v1\nkind: Desk\nmetadata: {name: a}\nspec: {}\n",
            "f.yaml:1:13: Desk/a: apiVersion: `sealwright.dev/v1` is not known; write `sealwright.dev/v1alpha1`",
        ),
        (
            "apiVersion: sealwright.dev/v1alpha1\nkind: [Desk]\nmetadata: {name: a}\nspec: {}\n",
            "f.yaml:2:7: kind: expected text, found a list",
        ),
        (
            "apiVersion: sealwright.dev/v1alpha1\nkind: Desk\nmetadata: {nmae: a, labels: {x: 1}}\nspec: {listen: \"1.1.1.1:1\"}\nstatus: x\n",
            "f.yaml:3:11: Desk/?: metadata: missing field `name`\n\
             f.yaml:3:12: Desk/?: metadata.nmae: unknown field, did you mean `name`?\n\
             f.yaml:3:33: Desk/?: metadata.labels.x: expected text, found a number; put it in quotes\n\
             f.yaml:5:1: Desk/?: status: unknown field; known are `apiVersion`, `kind`, `metadata`, `spec`",
        ),
        (
            "apiVersion: sealwright.dev/v1alpha1\nkind: Desk\nmetadata: {name: Big_Desk, namespace: a.b}\nspec: {listen: \"1.1.1.1:1\"}\n",
            "f.yaml:3:18: Desk/Big_Desk: metadata.name: must be lower-case letters, digits, `-` and `.`, begin and end with a letter or digit, and have at most 253 characters\n\
             f.yaml:3:39: Desk/Big_Desk: metadata.namespace: must be lower-case letters, digits and `-`, begin and end with a letter or digit, and have at most 63 characters",
        ),
    ] {
        assert_eq!(faults(text), expected, "{text}");
    }
}

/// What a Secret has in place of a spec.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "the shape is what is tested")]
struct SecretBody {
    r#type: Option<String>,
    #[serde(default)]
    data: BTreeMap<String, String>,
    #[serde(default)]
    string_data: BTreeMap<String, String>,
}

/// What is said of a document that was written for Kubernetes.
fn foreign(text: &str) -> String {
    let mut report = Report::default();
    for resource in resource::parse(Path::new("f.yaml"), text, &mut report) {
        match resource.kind.as_str() {
            "Secret" => drop(resource.body::<SecretBody>(&mut report)),
            _ => drop(resource.spec::<BTreeMap<String, String>>(&mut report)),
        }
    }
    report.to_string()
}

#[test]
fn documents_of_kubernetes() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
    for (text, expected) in [
        (format!("{secret}type: Opaque\nstringData: {{key.pem: x}}\n"), ""),
        (
            format!("{secret}spec: {{}}\n"),
            "f.yaml:4:1: Secret/a: spec: unknown field; known are `data`, `stringData`, `type`",
        ),
        (
            format!("{secret}stringdata: {{}}\n"),
            "f.yaml:4:1: Secret/a: stringdata: unknown field, did you mean `stringData`?",
        ),
        (
            format!("{secret}data: {{key.pem: 5}}\n"),
            "f.yaml:4:17: Secret/a: data.key.pem: expected text, found a number; put it in quotes",
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a, nmae: b, uid: c, creationTimestamp: ~}\nstatus: {}\n".to_owned(),
            "warning: f.yaml:3:11: Secret/a: metadata: Kubernetes writes `uid`, `creationTimestamp`, `status`; it is passed over\n\
             f.yaml:3:21: Secret/a: metadata.nmae: unknown field, did you mean `name`?",
        ),
        ("apiVersion: secretgen.k14s.io/v1alpha1\nkind: RSAKey\nmetadata: {name: a}\nspec: {}\n".to_owned(), ""),
        (
            "apiVersion: sso.apps.tanzu.vmware.com/v1alpha1\nkind: AuthServer\nmetadata: {name: a}\nspec: {}\n".to_owned(),
            "",
        ),
        ("apiVersion: sealwright.dev/v1alpha1\nkind: AuthServer\nmetadata: {name: a}\nspec: {}\n".to_owned(), ""),
        (
            "apiVersion: sso.apps.tanzu.vmware.com/v1\nkind: AuthServer\nmetadata: {name: a}\nspec: {}\n".to_owned(),
            "f.yaml:1:13: AuthServer/a: apiVersion: `sso.apps.tanzu.vmware.com/v1` is not known; write `sealwright.dev/v1alpha1` or `sso.apps.tanzu.vmware.com/v1alpha1`",
        ),
        (
            "apiVersion: sealwright.dev/v1alpha1\nkind: Secret\nmetadata: {name: a}\n".to_owned(),
            "f.yaml:1:13: Secret/a: apiVersion: a `Secret` is of `v1`",
        ),
        (
            "apiVersion: v1\nkind: RSAKey\nmetadata: {name: a}\nspec: {}\n".to_owned(),
            "f.yaml:1:13: RSAKey/a: apiVersion: `v1` has no `RSAKey` here; write `secretgen.k14s.io/v1alpha1`",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".to_owned(),
            "f.yaml:1:13: ConfigMap/a: apiVersion: of `v1`, `Secret` is read here; kinds of our own have `sealwright.dev/v1alpha1`",
        ),
        (
            "apiVersion: sso.apps.tanzu.vmware.com/v1alpha1\nkind: User\nmetadata: {name: a}\nspec: {}\n".to_owned(),
            "f.yaml:1:13: User/a: apiVersion: of `sso.apps.tanzu.vmware.com/v1alpha1`, `AuthServer`, `ClientRegistration` is read here; kinds of our own have `sealwright.dev/v1alpha1`",
        ),
        (
            format!("{secret}---\n{secret}"),
            "f.yaml:7:18: Secret/a: metadata.name: this resource is declared already, at f.yaml:1",
        ),
    ] {
        assert_eq!(foreign(&text), expected, "{text}");
    }
}

#[test]
fn paths_are_found_by_their_pattern() {
    let text = "apiVersion: sealwright.dev/v1alpha1\nkind: Desk\nmetadata: {name: a}\nspec:\n  \
                list: [{x: 1}, {y: 2}, {x: ~}, {x: 3}]\n  n: {m: true}\n";
    let resources = resource::parse(Path::new("f.yaml"), text, &mut Report::default());
    let find = |pattern| resources[0].find(pattern);
    assert_eq!(find("spec.list[].x"), ["spec.list[0].x", "spec.list[3].x"]);
    assert_eq!(find("spec.n.m"), ["spec.n.m"]);
    assert_eq!(resources[0].scalar(&["spec", "n", "m"]).as_deref(), Some("true"));
    for nothing in ["spec.list.x", "spec.n[]", "spec.list[].z", "spec.n.m.o", "", "spec..n"] {
        assert!(find(nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn broken_yaml_and_what_is_refused_of_it() {
    for (lines, expected) in [
        (
            "a: &x 1",
            "6:6: anchors are not accepted; write the value out where it is needed\n6:3: spec.a: unknown field",
        ),
        ("rules: !!seq []", "6:10: tags such as `!!str` are not accepted; put text in quotes"),
        ("limit: 1\nlimit: 2", "7:3: the key `limit` stands here already, in line 6"),
        ("? [a]\n: 1", "6:5: a key must be text"),
    ] {
        let all = also(lines);
        for line in expected.lines() {
            assert!(all.lines().any(|said| said.starts_with(line)), "{lines}\n{all}");
        }
    }
    let unclosed = also("claims: {a: b");
    assert!(unclosed.contains(": not valid YAML: "), "{unclosed}");
    let tabs = also("claims:\n\ta: b");
    assert!(tabs.contains(": not valid YAML: "), "{tabs}");
    let alias = also("limit: *x");
    assert!(alias.contains("not valid YAML: ") || alias.contains("aliases are not accepted"), "{alias}");
    let nested = |levels: usize| also(&format!("claims: {}{}", "[".repeat(levels), "]".repeat(levels)));
    assert_eq!(nested(30), "6:11: spec.claims: expected a map, found a list");
    assert_eq!(nested(31), "6:41: nested more than 32 levels deep");
    assert_eq!(nested(10_000), "6:266: not valid YAML: recursion limit exceeded");
}

#[test]
fn documents_after_the_first_have_the_right_lines() {
    let document = |name: &str, listen: &str| {
        format!(
            "apiVersion: sealwright.dev/v1alpha1\nkind: Desk\nmetadata:\n  name: {name}\nspec:\n  listen: {listen}\n"
        )
    };
    let (good, bad) = ("127.0.0.1:1", "5");
    let text = format!(
        "# comment\n---\n{}---\n{}---\n# only a comment\n---\n{}...\n---\n{}",
        document("one", good),
        document("two", bad),
        document("three", good),
        document("two", bad)
    );
    assert_eq!(
        faults(&text),
        "f.yaml:15:11: Desk/two: spec.listen: expected text, found a number; put it in quotes\n\
         f.yaml:30:9: Desk/two: metadata.name: this resource is declared already, at f.yaml:10"
    );
    // What stands before an error of syntax is still checked.
    let text = format!("{}---\n{}---\nkind: [\n", document("one", good), document("two", bad));
    let said = faults(&text);
    assert!(said.contains("f.yaml:13:11: Desk/two: spec.listen: expected text"), "{said}");
    assert!(said.contains("not valid YAML"), "{said}");
}

#[test]
fn a_fault_of_the_caller_is_located() {
    let text = "\
apiVersion: sealwright.dev/v1alpha1
kind: Desk
metadata:
  name: main
  labels: {app.kubernetes.io/name: x}
spec:
  listen: 127.0.0.1:1
  rules:
    - claim: a
      value: b
";
    let mut report = Report::default();
    let resources = resource::parse(Path::new("f.yaml"), text, &mut report);
    let [main] = resources.as_slice() else { panic!("{report}") };
    let at = |path: &str| {
        let mut report = Report::default();
        main.fault(path, "no", &mut report);
        report.to_string()
    };
    assert_eq!(at("spec.rules[0].value"), "f.yaml:10:14: Desk/main: spec.rules[0].value: no");
    assert_eq!(at("spec.rules[0].op"), "f.yaml:9:7: Desk/main: spec.rules[0].op: no");
    assert_eq!(at("spec.rules[7]"), "f.yaml:9:5: Desk/main: spec.rules[7]: no");
    assert_eq!(at("spec.missing.below"), "f.yaml:7:3: Desk/main: spec.missing.below: no");
    assert_eq!(
        at("metadata.labels.app.kubernetes.io/name"),
        "f.yaml:5:36: Desk/main: metadata.labels.app.kubernetes.io/name: no"
    );
    assert_eq!(at(""), "f.yaml:1:1: Desk/main: no");
    assert_eq!(at("spec."), "f.yaml:7:3: Desk/main: spec.: no");
    main.warn("spec.listen", "hm", &mut report);
    assert!(report.is_empty());
    assert_eq!(report.to_string(), "warning: f.yaml:7:11: Desk/main: spec.listen: hm");
    assert_eq!(main.labels["app.kubernetes.io/name"], "x");
    assert_eq!(main.base_dir(), Path::new("."));
}

#[test]
fn unknown_kinds_are_named() {
    let text = "apiVersion: sealwright.dev/v1alpha1\nkind: Wroker\nmetadata: {name: a}\nspec: {}\n";
    let mut report = Report::default();
    let resources = resource::parse(Path::new("f.yaml"), text, &mut report);
    resource::refuse_unknown_kinds(&resources, &["AuthServer", "Worker"], &mut report);
    assert_eq!(report.to_string(), "f.yaml:2:7: Wroker/a: kind: unknown kind, did you mean `Worker`?");
}

fn load(dir: &Path, names: &[&str]) -> (Vec<Resource>, String) {
    let mut report = Report::default();
    let paths: Vec<_> =
        names.iter().map(|name| if name.is_empty() { dir.to_owned() } else { dir.join(name) }).collect();
    let resources = resource::load(&paths, &mut report);
    (
        resources,
        report
            .to_string()
            .replace(&format!("{}/", dir.display()), "")
            .replace(&dir.display().to_string(), "DIR"),
    )
}

#[test]
fn folders_and_files() {
    let dir = temp_dir();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let document = |name: &str| {
        format!("apiVersion: sealwright.dev/v1alpha1\nkind: Desk\nmetadata: {{name: {name}}}\nspec: {{}}\n")
    };
    assert_eq!(load(dir.path(), &[""]).1, "DIR: there is no *.yaml or *.yml file in this folder");

    write("b.yaml", &document("b"));
    write("a.yml", &document("a"));
    write("c.txt", "not: read");
    fs::create_dir(dir.path().join("d.yaml")).unwrap();
    let (resources, report) = load(dir.path(), &["", "b.yaml"]);
    assert_eq!(report, "");
    assert_eq!(resources.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(resources[0].base_dir(), dir.path());

    write("z.yaml", &format!("\n{}", document("a")));
    assert_eq!(
        load(dir.path(), &[""]).1,
        "z.yaml:4:18: Desk/a: metadata.name: this resource is declared already, at a.yml:1"
    );

    write("big.yaml", &" ".repeat(1024 * 1024 + 1));
    fs::write(dir.path().join("latin.yaml"), b"a: b\nc: \xe4\n").unwrap();
    assert_eq!(
        load(dir.path(), &["big.yaml", "latin.yaml", "missing.yaml"]).1,
        "big.yaml: this file is larger than 1 MiB; split it\n\
         latin.yaml: this file is not UTF-8 text, from line 2 on\n\
         missing.yaml: this file cannot be read: No such file or directory (os error 2)"
    );
}

#[test]
fn no_text_makes_reading_panic() {
    let sound = "\u{feff}apiVersion: sealwright.dev/v1alpha1 # comment\nkind: \"Desk\"\nmetadata: {name: 'main', labels: {a.b/c: x}}\nspec:\n  \
                 listen: 127.0.0.1:1\n  rules:\n  - claim: |\n      über\n    value: [1, -0x2, .5, ~, {a: >-\n 6}]\n...\n---\n? k\n: v\n";
    let characters: Vec<char> = sound.chars().collect();
    let noise: Vec<char> = "\0\t\n\r :-?[]{},#&*!|>'\"%@`\\.~<=\u{85}\u{2028}\u{feff}é0".chars().collect();
    for (at, _) in sound.char_indices() {
        faults(&sound[..at]);
    }
    for at in 0..characters.len() {
        for offset in [0, 7, 19] {
            let mut text = characters.clone();
            text[at] = noise[(at + offset) % noise.len()];
            faults(&text.iter().collect::<String>());
        }
    }
}
