use fourstroke::{
    config::Resource,
    ports::{Key, Store},
    testkit::table,
    types::{FieldType, Fields},
};
use fourstroke_adapters::file::FileTable;
use vrl::value::{ObjectMap, Value};

use crate::files;

const WEATHER: &str = "origin,hour,visib,wind_gust,sky\n\
    EWR,2013-10-01T09,10.0,,clear\n\
    EWR,2013-10-01T10,2.5,31,\"rain, then\nfog\"\n\
    JFK,2013-10-01T09,7,12.5,\n";

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect::<ObjectMap>())
}

fn float(number: f64) -> Value {
    Value::from_f64_or_zero(number)
}

fn described(mut resource: Resource, key: &[&str], fields: &[(&str, &str)]) -> Resource {
    resource.key = key.iter().map(|&name| name.to_owned()).collect();
    let fields = fields.iter().map(|(name, declared)| ((*name).to_owned(), FieldType::parse(declared).unwrap()));
    resource.fields = Some(Fields(fields.collect())).filter(|fields| !fields.0.is_empty());
    resource
}

/// Opens a table of that content.
async fn open(name: &str, content: &str, key: &[&str], fields: &[(&str, &str)]) -> Result<FileTable, String> {
    let directory = tempfile::tempdir().unwrap();
    files::write(&directory, name, content.as_bytes());
    let mut resource = Resource::new("stores.x", format!("file:{name}"));
    resource.base = directory.path().to_owned();
    FileTable::open(&described(resource, key, fields)).await
}

#[tokio::test]
async fn rows_keep_the_contract_however_they_are_packed() {
    let fields = [("visib", "float"), ("wind_gust", "float"), ("sky", "string?")];
    let known = [
        (
            Key::of_parts(&["EWR", "2013-10-01T09"]),
            object([("visib", float(10.0)), ("wind_gust", Value::Null), ("sky", "clear".into())]),
        ),
        (
            Key::of_parts(&["EWR", "2013-10-01T10"]),
            object([("visib", float(2.5)), ("wind_gust", float(31.0)), ("sky", "rain, then\nfog".into())]),
        ),
        (
            Key::of_parts(&["JFK", "2013-10-01T09"]),
            object([("visib", float(7.0)), ("wind_gust", float(12.5)), ("sky", Value::Null)]),
        ),
    ];
    let unknown =
        [Key::of_parts(&["LGA", "2013-10-01T09"]), Key::new("EWR", "2013-10-01T11"), Key::new("EWR2013-10-01T09", "")];
    for (name, content) in [
        ("weather.csv", WEATHER.to_owned()),
        ("weather.csv.gz", WEATHER.to_owned()),
        ("weather.csv.zst", WEATHER.replace("fog", "FOG").replace('\n', "\r\n").replace("then\r\nFOG", "then\nfog")),
    ] {
        let weather = open(name, &content, &["origin", "hour"], &fields).await.unwrap();
        assert_eq!(weather.len(), 3);
        table::suite(&weather, &known, &unknown).await;
        table::read_only(&weather, &known[0].0).await;
        let listed = weather.list("EWR").await.unwrap();
        assert_eq!(
            listed.iter().map(|(sort, _)| sort.as_str()).collect::<Vec<_>>(),
            ["2013-10-01T09", "2013-10-01T10"]
        );
    }
}

#[tokio::test]
async fn lines_keep_the_contract_too() {
    let content = "{\"id\": 7, \"on\": true, \"zone\": \"ä\", \"seats\": 55, \"more\": [1]}\n\n\
        {\"zone\": \"b\", \"on\": false, \"id\": 8, \"seats\": null}\n\
        {\"zone\": \"c\", \"on\": false, \"id\": 8}\n";
    let known = [
        (Key::of_parts(&["7", "true", "ä"]), object([("seats", 55.into())])),
        (Key::of_parts(&["8", "false", "b"]), object([("seats", Value::Null)])),
        (Key::of_parts(&["8", "false", "c"]), object([("seats", Value::Null)])),
    ];
    for name in ["t.jsonl", "t.ndjson.gz", "t.json.zst"] {
        let planes = open(name, content, &["id", "on", "zone"], &[("seats", "integer")]).await.unwrap();
        table::suite(&planes, &known, &[Key::of_parts(&["7", "true", "b"]), Key::new("7", "")]).await;
        table::read_only(&planes, &known[0].0).await;
    }
}

#[tokio::test]
async fn without_declared_fields_all_columns_are_kept() {
    let planes = open("p.csv", "tailnum,seats\nN1,55\nN2,\n", &["tailnum"], &[]).await.unwrap();
    let known = [
        (Key::new("N1", ""), object([("tailnum", "N1".into()), ("seats", "55".into())])),
        (Key::new("N2", ""), object([("tailnum", "N2".into()), ("seats", Value::Null)])),
    ];
    table::suite(&planes, &known, &[Key::new("N3", "")]).await;
}

#[tokio::test]
async fn a_table_that_is_wrong_says_where_and_what() {
    type Case =
        (&'static str, &'static str, &'static [&'static str], &'static [(&'static str, &'static str)], &'static str);
    let cases: [Case; 15] = [
        ("p.csv", "tailnum,seats\n", &[], &[], "`file:p.csv` needs `key:`, the columns to look rows up by"),
        ("p.csv", "", &["tailnum"], &[], "`file:p.csv` is empty; its first row must name the columns"),
        ("p.csv", "tail,seats\n", &["tailnum"], &[], "`file:p.csv` has no column `tailnum`; it has tail, seats"),
        (
            "p.csv",
            "tailnum,seats\n",
            &["tailnum"],
            &[("seat", "float")],
            "`file:p.csv` has no column `seat`; it has tailnum, seats",
        ),
        (
            "p.csv",
            "tailnum,seats\nN1,55\n\nN2,many\n",
            &["tailnum"],
            &[("seats", "integer")],
            "p.csv:4, column `seats`: \"many\", where integer is declared",
        ),
        (
            "p.csv",
            "tailnum,seats\r\nN1,55\r\nN2,5.5\r\n",
            &["tailnum"],
            &[("seats", "integer?")],
            "p.csv:3, column `seats`: \"5.5\", where integer? is declared",
        ),
        (
            "p.csv",
            "tailnum,seats\nN1,55\nN2,55,3\n",
            &["tailnum"],
            &[],
            "p.csv:3: 3 cells, where the header names 2 columns",
        ),
        (
            "p.csv",
            "tailnum,seats\nN1,\"5\n5\"\nN2,1\nN1,2\n",
            &["tailnum"],
            &[],
            "p.csv:5: the key `N1` is on line 2 already; a table has each key once",
        ),
        ("p.csv", "tailnum,seats\n,1\n", &["tailnum"], &[], "p.csv:2, column `tailnum`: a key must not be empty"),
        (
            "p.jsonl",
            "{\"tailnum\": \"N1\"}\n{\"tail\": 1}\n",
            &["tailnum"],
            &[],
            "p.jsonl:2: `file:p.jsonl` has no column `tailnum`; it has tail",
        ),
        (
            "p.jsonl",
            "{\"tailnum\": 1.5}",
            &["tailnum"],
            &[],
            "p.jsonl:1, column `tailnum`: a key must be a text, a whole number, or true or false",
        ),
        (
            "p.jsonl",
            "{\"k\": 1, \"seats\": \"x\"}",
            &["k"],
            &[("seats", "integer")],
            "p.jsonl:1, column `seats`: \"x\", where integer is declared",
        ),
        ("p.jsonl", "{\"k\": 1}\n[]", &["k"], &[], "p.jsonl:2: not a JSON object"),
        (
            "p.jsonl",
            "{\"k\": 1}\n{\"k\": 1}",
            &["k"],
            &[],
            "p.jsonl:2: the key `1` is on line 1 already; a table has each key once",
        ),
        (
            "p.txt",
            "",
            &["k"],
            &[],
            "`file:p.txt` does not say what is in it; name it .jsonl, .ndjson, .json or .csv, with .gz or .zst behind if compressed",
        ),
    ];
    for (name, content, key, fields, sentence) in cases {
        assert_eq!(open(name, content, key, fields).await.unwrap_err(), sentence);
    }
    let sentence = open("p.jsonl", "{\"k\": 1}\n{k", &["k"], &[]).await.unwrap_err();
    assert!(sentence.starts_with("p.jsonl:2: no JSON: "), "{sentence}");
}

#[tokio::test]
async fn a_torn_table_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("weather.csv.gz");
    let whole = files::pack("x.gz", WEATHER.as_bytes());
    std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let resource = described(files::resource(&path), &["origin", "hour"], &[]);
    let sentence = FileTable::open(&resource).await.unwrap_err();
    assert!(sentence.contains("is torn or not compressed as its name says"), "{sentence}");
}
