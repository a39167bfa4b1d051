//! DynamoDB, against DynamoDB Local, and what a service or a network may do to it.

mod faults;
mod rows;
mod state;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use fourstroke::{
    clock::Clock,
    config::Resource,
    ports::{Condition, Key, Put, PutOutcome, Store, StoreError},
};
use fourstroke_adapters::dynamodb::DynamoDbStore;
use vrl::value::Value;

use crate::aws::account;

/// The account of the stand-in all tests share; none where it is not installed.
async fn local() -> Option<SdkConfig> {
    Some(account(&fourstroke_localstack::dynamodb::shared()?.endpoint()).await)
}

/// Makes a table of these key columns.
async fn table(account: &SdkConfig, name: &str, key: &[(&str, ScalarAttributeType)]) -> Resource {
    let mut call = Client::new(account).create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for ((column, kind), role) in key.iter().zip([KeyType::Hash, KeyType::Range]) {
        let schema = KeySchemaElement::builder().attribute_name(*column).key_type(role).build().unwrap();
        let kind = AttributeDefinition::builder().attribute_name(*column).attribute_type(kind.clone()).build().unwrap();
        call = call.key_schema(schema).attribute_definitions(kind);
    }
    call.send().await.unwrap();
    Resource::new("stores.x", format!("dynamodb://{name}"))
}

/// Makes a table for state.
async fn state_table(account: &SdkConfig, name: &str) -> Resource {
    table(account, name, &[("pk", ScalarAttributeType::S), ("sk", ScalarAttributeType::S)]).await
}

async fn opened(account: &SdkConfig, name: &str) -> DynamoDbStore {
    DynamoDbStore::at(&state_table(account, name).await, account, Clock::system()).unwrap()
}

fn new(key: Key, value: impl Into<Value>) -> Put {
    Put { key, value: value.into(), condition: Condition::Absent, expires: None }
}

async fn put(store: &dyn Store, put: Put) -> Result<PutOutcome, StoreError> {
    store.put(&[put]).await.remove(0)
}

async fn value(store: &dyn Store, key: &Key) -> Result<Option<Value>, StoreError> {
    Ok(store.get(std::slice::from_ref(key)).await.remove(0)?.map(|item| item.value))
}
