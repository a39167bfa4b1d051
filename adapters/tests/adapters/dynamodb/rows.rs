//! Users' own tables.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ScalarAttributeType},
};
use fourstroke::{
    Value,
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{Key, Store},
    testkit::table,
    types::{FieldType, Fields},
};
use fourstroke_adapters::dynamodb::DynamoDbStore;

use super::{local, table as make, value};

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}

fn object(json: serde_json::Value) -> Value {
    serde_json::from_value(json).unwrap()
}

fn fields(declared: &[(&str, &str)]) -> Option<Fields> {
    let field = |(name, declared): &(&str, &str)| ((*name).to_owned(), FieldType::parse(declared).unwrap());
    Some(Fields(declared.iter().map(field).collect()))
}

async fn insert(account: &SdkConfig, table: &str, row: &[(&str, AttributeValue)]) {
    let row = row.iter().map(|(name, attribute)| ((*name).to_owned(), attribute.clone())).collect();
    Client::new(account).put_item().table_name(table).set_item(Some(row)).send().await.unwrap();
}

fn open(account: &SdkConfig, resource: &Resource) -> DynamoDbStore {
    DynamoDbStore::at(resource, account, Clock::system()).unwrap()
}

#[tokio::test]
async fn keeps_the_contract_of_a_table() {
    let Some(account) = local().await else { return };
    let mut resource = make(&account, "customers", &[("customer_id", ScalarAttributeType::S)]).await;
    insert(&account, "customers", &[("customer_id", s("42")), ("level", n("3"))]).await;
    insert(&account, "customers", &[("customer_id", s("a/b")), ("level", n("4.5"))]).await;
    let known = [
        (Key::new("42", ""), object(serde_json::json!({ "customer_id": "42", "level": 3 }))),
        (Key::new("a/b", ""), object(serde_json::json!({ "customer_id": "a/b", "level": 4.5 }))),
    ];
    let long = "4".repeat(2049);
    let unknown = ["43", "042", "", "42 ", &long].map(|id| Key::new(id, ""));
    let in_url = Resource::new("stores.x", "dynamodb://customers?key=customer_id");
    resource.key = vec!["customer_id".to_owned()];
    for resource in [in_url, resource] {
        let store = open(&account, &resource);
        assert!(store.is_table());
        table::suite(&store, &known, &unknown).await;
        table::read_only(&store, &known[0].0).await;
        assert_eq!(store.list("42").await.unwrap_err().kind, Kind::Fatal);
    }
}

#[tokio::test]
async fn a_key_has_two_columns_and_numbers_where_they_are_declared() {
    let Some(account) = local().await else { return };
    let key = [("hour", ScalarAttributeType::N), ("origin", ScalarAttributeType::S)];
    let mut resource = make(&account, "weather", &key).await;
    for (hour, origin, visib) in [("9", "EWR", "1.5"), ("-10", "JFK\u{1f}1", "2"), ("9", "LGA", "3")] {
        insert(&account, "weather", &[("hour", n(hour)), ("origin", s(origin)), ("visib", n(visib))]).await;
    }
    resource.key = vec!["hour".to_owned(), "origin".to_owned()];
    resource.fields = fields(&[("visib", "float"), ("hour", "integer")]);
    let store = open(&account, &resource);
    let known = [
        (Key::of_parts(&["9", "EWR"]), object(serde_json::json!({ "visib": 1.5, "hour": 9 }))),
        (Key::of_parts(&["-10", "JFK\u{1f}1"]), object(serde_json::json!({ "visib": 2.0, "hour": -10 }))),
    ];
    let no = [&["10", "EWR"], &["09", "EWR"], &["9.0", "EWR"], &["+9", "EWR"], &["nine", "EWR"], &["9", "BOS"]];
    let unknown = no.map(|parts| Key::of_parts(parts));
    table::suite(&store, &known, &unknown).await;

    // A key that is taken for another type is nobody's fault but the pipeline's.
    resource.fields = None;
    let error = value(&open(&account, &resource), &known[0].0).await.unwrap_err();
    assert_eq!(error.kind, Kind::Fatal, "{error}");
    assert!(error.reason.contains("its key is taken to be `hour`, a string and `origin`, a string; "), "{error}");
}

#[tokio::test]
async fn fields_say_what_is_read_and_how() {
    let Some(account) = local().await else { return };
    let mut resource = make(&account, "planes", &[("name", ScalarAttributeType::S)]).await;
    // Reserved words, and a name with a dot that is no path.
    let row = [
        ("name", s("N1")),
        ("size", n("150")),
        ("a.b", n("1E+2")),
        ("since", s("2013-10-01T00:00:00Z")),
        ("status", AttributeValue::Null(true)),
        ("tags", AttributeValue::Ss(vec!["x".to_owned()])),
        ("price", n("0.1000000000000000055511151231257827021")),
    ];
    insert(&account, "planes", &row).await;
    insert(&account, "planes", &[("name", s("N2")), ("size", s("large"))]).await;
    resource.key = vec!["name".to_owned()];
    let mut expected = [
        ("size", "float", Value::from_f64_or_zero(150.0)),
        ("a.b", "integer", 100.into()),
        ("since", "timestamp", fourstroke::types::timestamp(&"2013-10-01T00:00:00Z".into()).unwrap().into()),
        ("status", "string?", Value::Null),
        ("tags", "array", Value::Array(vec!["x".into()])),
        ("price", "string", "0.1000000000000000055511151231257827021".into()),
        ("nowhere", "integer", Value::Null),
    ];
    resource.fields = fields(&expected.clone().map(|(name, declared, _)| (name, declared)));
    let store = open(&account, &resource);
    let rows = store.get(&[Key::new("N1", ""), Key::new("N2", ""), Key::new("N3", "")]).await;
    let wanted = expected.clone().map(|(name, _, value)| (name.into(), value));
    assert_eq!(rows[0].as_ref().unwrap().as_ref().unwrap().value, Value::Object(wanted.into_iter().collect()));
    let error = rows[1].as_ref().unwrap_err();
    assert_eq!(error.kind, Kind::Poison);
    assert_eq!(error.reason, "`dynamodb://planes`: column `size`: \"large\", where float is declared");
    assert_eq!(rows[2], Ok(None));

    // The key is read where it is declared, and only then.
    expected[0] = ("name", "string", "N1".into());
    resource.fields = fields(&[("name", "string")]);
    let alone = value(&open(&account, &resource), &Key::new("N1", "")).await;
    assert_eq!(alone, Ok(Some(object(serde_json::json!({ "name": "N1" })))));
    resource.fields = fields(&[]);
    assert_eq!(value(&open(&account, &resource), &Key::new("N1", "")).await, Ok(Some(object(serde_json::json!({})))));
}
