//! A server that has run once, so that there are keys to look at and to change.

use std::{fs, path::Path};

use crate::{
    serve::{Serve, free_address},
    transcript::write_private,
};

const FIRST: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const SECOND: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";

/// Writes `server`, with resources and a database; `new-kek.yaml`, the same server with another key-encryption key in front;
/// and `elsewhere.yaml`, the server on a machine that has no database yet.
pub(crate) fn write(folder: &Path) {
    let address = free_address();
    let resource = |keks: &str, path: &str| {
        format!(
            "apiVersion: sealwright.dev/v1alpha1\nkind: AuthServer\nmetadata: {{name: id, labels: {{env: test}}}}\nspec:\n  \
             issuerURI: http://{address}\n  listen: {address}\n  acknowledge: [unsafeIssuerUri]\n  \
             tokenSignature: {{algorithms: [ES256], keysDir: {path}auth-keys}}\n  \
             storage: {{sqlite: {{path: {path}auth.db}}}}\n  secrets: {{kek: [{keks}]}}\n"
        )
    };
    let server = folder.join("server");
    for made in [&server, &folder.join("elsewhere")] {
        fs::create_dir(made).expect("the sandbox can be written");
    }
    write_private(&server.join("kek"), FIRST.as_bytes());
    write_private(&folder.join("second-kek"), SECOND.as_bytes());
    let (first, second) = ("{id: k1, file: server/kek}", "{id: k2, file: second-kek}");
    for (file, text) in [
        ("server/auth.yaml", resource("{id: k1, file: kek}", "")),
        ("new-kek.yaml", resource(&format!("{second}, {first}"), "server/")),
        ("elsewhere.yaml", resource(second, "elsewhere/")),
    ] {
        write_private(&folder.join(file), text.as_bytes());
    }
    let mut serve = Serve::start(&server);
    assert!(serve.line().contains(&address.to_string()), "it says where it listens");
    serve.signal("TERM");
    assert!(serve.ends().success(), "it ends as it should");
}
