use super::*;

fn read(text: &str) -> Result<Vec<(String, String)>, JsonError> {
    let mut members = Vec::new();
    object(text, 4, |name, value| members.push((name.decoded().into_owned(), value.raw().to_owned())))?;
    Ok(members)
}

#[test]
fn good_objects_are_read() {
    let members =
        read(" {\"a\" : \"b\\u00e9\\ud83d\\ude00\\n\", \"c\":[1,-0.5e+3,{\"a\":null}],\"d\":true} \n")
            .unwrap();
    assert_eq!(members.len(), 3);
    assert_eq!(members[1], ("c".into(), "[1,-0.5e+3,{\"a\":null}]".into()));
    let value = member("{\"a\":\"b\\u00e9\\ud83d\\ude00\\n\"}", "a").unwrap();
    assert_eq!(value.as_str().unwrap().decoded(), "bé😀\n");
    assert!(value.as_str().unwrap().is("bé😀\n"));
    assert_eq!(read("{}"), Ok(vec![]));
}

#[test]
fn bad_texts_are_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "{\"a\":1}x",
        "{\"a\":1}{}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\" 1}",
        "{\"a\":}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":1e400}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":tru}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"",
        "{\"a\":1/**/}",
        "\u{feff}{\"a\":1}",
        "{\"a\":1}\0",
    ] {
        assert_eq!(read(text), Err(JsonError::Syntax), "{text}");
    }
}

#[test]
fn a_name_stands_once_at_every_depth_however_escaped() {
    for text in [
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"\\u0061\":1,\"a\":2}",
        "{\"x\":[{\"b\":1,\"\\u0062\":1}]}",
        "{\"😀\":1,\"\\ud83d\\ude00\":1}",
    ] {
        assert_eq!(read(text), Err(JsonError::DuplicateName), "{text}");
    }
    let many: String = (0..1000).map(|n| format!("\"n{n}\":0,")).collect();
    assert_eq!(read(&format!("{{{many}\"z\":0}}")).map(|m| m.len()), Ok(1001));
    for repeated in ["n0", "n5", "n999", "\\u006e999"] {
        assert_eq!(read(&format!("{{{many}\"{repeated}\":0}}")), Err(JsonError::DuplicateName));
    }
    assert_eq!(read("{\"a\":1,\"A\":2}").map(|m| m.len()), Ok(2));
}

#[test]
fn nesting_is_limited() {
    assert!(read("{\"a\":[[[1]],[[2]]]}").is_ok());
    assert_eq!(read("{\"a\":[[[[1]]]]}"), Err(JsonError::TooDeep));
    assert_eq!(read(&format!("{{\"a\":{}", "[".repeat(20_000))), Err(JsonError::TooDeep));
}

#[test]
fn the_last_of_several_wins_where_the_caller_asks_for_it() {
    let text = r#"{"a":1,"b":{"c":1,"c":2},"\u0061":"last"}"#;
    assert_eq!(object(text, 4, |_, _| {}), Err(JsonError::DuplicateName));
    assert_eq!(object_with(text, 4, Names::LastWins, |_, _| {}), Ok(()));
    assert_eq!(member(text, "a").unwrap().raw(), "\"last\"");
    assert_eq!(object_with(text, 1, Names::LastWins, |_, _| {}), Err(JsonError::TooDeep));
    assert_eq!(object_with("{\"a\":1,}", 4, Names::LastWins, |_, _| {}), Err(JsonError::Syntax));
}
