//! The schema for editors is true: it has the keys that the parser has, and the shipped scenarios fit it.

use std::collections::BTreeSet;

use cluster::scenario::Scenario;
use serde_json::Value as Json;

use crate::{folder, shipped, text};

fn schema() -> Json {
    let text = std::fs::read_to_string(folder().join("scenario.schema.json")).expect("the schema");
    serde_json::from_str(&text).expect("JSON")
}

/// The table that a definition is, or may be at length.
fn table(definition: &Json) -> &Json {
    let forms = definition["anyOf"].as_array();
    let long = forms.and_then(|forms| forms.iter().find(|form| form["type"] == "object"));
    long.unwrap_or(definition)
}

fn keys_of(definition: &Json) -> BTreeSet<String> {
    let properties = table(definition)["properties"].as_object();
    properties.expect("properties").keys().cloned().collect()
}

/// The keys that the parser says it expects where it finds another.
fn keys_expected(text: &str) -> BTreeSet<String> {
    let mistake = Scenario::read(text).expect_err("an unknown key").what;
    let (_, expected) = mistake.split_once("expected").expect(&mistake);
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_schema_has_the_keys_that_the_parser_has() {
    let schema = schema();
    assert_eq!(keys_expected("zzz = 1"), keys_of(&schema));
    let cluster = "name = \"x\"\n[cluster]\nzzz = 1";
    assert_eq!(keys_expected(cluster), keys_of(&schema["$defs"]["cluster"]));
    let step = "name = \"x\"\n[[step]]\nzzz = 1";
    assert_eq!(keys_expected(step), keys_of(&schema["$defs"]["step"]));
    for name in [
        "partition",
        "isolate",
        "cut",
        "link",
        "client",
        "skew",
        "disk",
        "heal",
        "kill",
        "revive",
        "put",
        "get",
        "delete",
        "cas",
    ] {
        let text = format!("name = \"x\"\n[[step]]\n{name} = {{ zzz = 1 }}");
        assert_eq!(
            keys_expected(&text),
            keys_of(&schema["$defs"][name]),
            "{name}"
        );
    }
    let condition = "name = \"x\"\n[[step]]\nafter = { zzz = 1 }";
    assert_eq!(
        keys_expected(condition),
        keys_of(&schema["$defs"]["condition"])
    );
}

#[test]
fn the_schema_has_the_words_that_the_parser_has() {
    let schema = schema();
    let words = |schema: &Json| -> BTreeSet<String> {
        let words = schema["enum"].as_array().expect("words");
        words
            .iter()
            .map(|word| word.as_str().expect("a word").to_owned())
            .collect()
    };
    let cluster = &table(&schema["$defs"]["cluster"])["properties"];
    for (text, schema) in [
        (
            "name = \"x\"\nverdict = \"zzz\"".to_owned(),
            &schema["properties"]["verdict"],
        ),
        (
            "name = \"x\"\npromise = \"zzz\"".to_owned(),
            &schema["properties"]["promise"],
        ),
        (
            "[cluster]\nelection = \"zzz\"".to_owned(),
            &cluster["election"],
        ),
        (
            "[cluster]\nreplication = \"zzz\"".to_owned(),
            &cluster["replication"],
        ),
        (
            "[[step]]\nlink = { only = [\"zzz\"] }".to_owned(),
            &table(&schema["$defs"]["link"])["properties"]["only"]["items"],
        ),
        (
            "[[step]]\nkill = { node = \"node-1\", disk = \"zzz\" }".to_owned(),
            &table(&schema["$defs"]["kill"])["properties"]["disk"],
        ),
    ] {
        assert_eq!(keys_expected(&text), words(schema), "{text}");
    }
}

#[test]
fn every_shipped_scenario_fits_the_schema() {
    let schema = schema();
    for name in shipped() {
        let scenario: Json = toml::from_str(&text(&name)).expect("TOML");
        fits(&schema, &schema, &scenario).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

#[test]
fn what_is_no_scenario_does_not_fit_it() {
    let schema = schema();
    for wrong in [
        "nodes = 3",
        "name = 1",
        "name = \"x\"\nverdict = \"good\"",
        "name = \"x\"\n[[step]]\nkill = { nodes = \"node-1\" }",
        "name = \"x\"\n[[step]]\nput = { key = \"a\" }",
        "name = \"x\"\n[[step]]\nafter = \"peace\"",
    ] {
        let scenario: Json = toml::from_str(wrong).expect("TOML");
        assert!(fits(&schema, &schema, &scenario).is_err(), "{wrong}");
    }
}

/// Whether `value` fits `schema`, as far as this schema uses what JSON schemas have.
fn fits(root: &Json, schema: &Json, value: &Json) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        fits(
            root,
            &root["$defs"][name.trim_start_matches("#/$defs/")],
            value,
        )?;
    }
    if let Some(forms) = schema["anyOf"].as_array()
        && !forms.iter().any(|form| fits(root, form, value).is_ok())
    {
        return Err(format!("{value} fits none of {forms:?}"));
    }
    let is_other = |wanted: &Json| !wanted.is_null() && wanted != value;
    let words = schema["enum"].as_array();
    if words.is_some_and(|words| !words.contains(value)) || is_other(&schema["const"]) {
        return Err(format!("{value} is not of {schema}"));
    }
    let is_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        other => other.is_none(),
    };
    if !is_type {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    if let Some(entries) = value.as_array() {
        for entry in entries {
            fits(root, &schema["items"], entry)?;
        }
    }
    let (Some(fields), Some(properties)) = (value.as_object(), schema["properties"].as_object())
    else {
        return Ok(());
    };
    for (key, value) in fields {
        let property = properties
            .get(key)
            .ok_or_else(|| format!("there is no {key}"))?;
        fits(root, property, value).map_err(|why| format!("{key}: {why}"))?;
    }
    let required = schema["required"].as_array().into_iter().flatten();
    match required
        .into_iter()
        .find(|key| !fields.contains_key(key.as_str().unwrap_or_default()))
    {
        Some(key) => Err(format!("{key} is missing")),
        None => Ok(()),
    }
}
