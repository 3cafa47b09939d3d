//! `cargo xtask schema`: the schemas of records as one document that needs no other file.

use ledger::edge::{Answer, Failure};

use crate::out;
use crate::workspace::Workspace;

const DRAFT: &str = "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",";

pub(crate) fn schema(workspace: &Workspace) -> Result<Answer, Failure> {
    let directory = workspace.root.join("ledger").join("schema");
    let unreadable = |path: &std::path::Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| Failure::unreadable(&path, &error)
    };
    let mut schemas = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(unreadable(&directory))? {
        let path = entry.map_err(unreadable(&directory))?.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
        schemas.push((name, text));
    }
    schemas.sort();
    out::text(&bundle(&schemas))?;
    Ok(Answer::Done)
}

/// One schema for every record: what its `kind` names decides.
fn bundle(schemas: &[(String, String)]) -> String {
    let kinds = || {
        schemas
            .iter()
            .map(|(name, _)| name)
            .filter(|name| *name != "record")
    };
    let choices: Vec<String> = kinds()
        .map(|kind| {
            format!(
                "    {{ \"if\": {{ \"required\": [\"kind\"], \"properties\": {{ \"kind\": {{ \"const\": \"{kind}\" }} }} }}, \"then\": {{ \"$ref\": \"#/$defs/{kind}\" }} }}"
            )
        })
        .collect();
    let definitions: Vec<String> = schemas
        .iter()
        .map(|(name, text)| format!("    \"{name}\": {}", embedded(name, text)))
        .collect();
    format!(
        "{{\n  {DRAFT}\n  \"title\": \"Record of looputils\",\n  \"$ref\": \"#/$defs/record\",\n  \"allOf\": [\n{}\n  ],\n  \"$defs\": {{\n{}\n  }}\n}}\n",
        choices.join(",\n"),
        definitions.join(",\n")
    )
}

/// A schema as part of the document: its references lead there.
fn embedded(name: &str, text: &str) -> String {
    let text = text
        .replacen(&format!("  {DRAFT}\n"), "", 1)
        .replace("\"#/$defs/", &format!("\"#/$defs/{name}/$defs/"))
        .replace("\"record.json\"", "\"#/$defs/record\"");
    text.trim_end().replace('\n', "\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_every_schema_and_refers_to_itself_alone() {
        let record = format!("{{\n  {DRAFT}\n  \"type\": \"object\"\n}}\n");
        let ack = format!(
            "{{\n  {DRAFT}\n  \"$ref\": \"record.json\",\n  \"not\": {{ \"$ref\": \"#/$defs/x\" }}\n}}\n"
        );
        let text = bundle(&[("ack".to_owned(), ack), ("record".to_owned(), record)]);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let ack = &document["$defs"]["ack"];
        assert_eq!(ack["$ref"], "#/$defs/record");
        assert_eq!(ack["not"]["$ref"], "#/$defs/ack/$defs/x");
        assert!(ack.get("$schema").is_none() && document.get("$schema").is_some());
        assert_eq!(document["allOf"].as_array().unwrap().len(), 1);
    }
}
