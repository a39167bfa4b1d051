//! The same with a store that is a service: DynamoDB Local, with fewer seeds than a file of its own has.

use std::env;

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use fourstroke_adapters::aws;

use crate::{
    points::Point,
    suite::{self, Ledger},
};

const TABLE: &str = "killed";
const REGION: &str = "eu-central-1";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killed_at_every_point_with_dynamodb() {
    const SEEDS: u64 = 20;
    let Some(local) = fourstroke_localstack::dynamodb::shared() else { return };
    make_table(&local.endpoint()).await;
    let key = || "test".to_owned();
    let environment = vec![
        ("AWS_ENDPOINT_URL", local.endpoint()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", key()),
        ("AWS_SECRET_ACCESS_KEY", key()),
    ];
    let ledger = Ledger::shared(format!("dynamodb://{TABLE}"), environment);
    let seeds = env::var("KILL_SEEDS").ok().map_or(SEEDS, |seeds| seeds.parse().expect("a number of seeds"));
    for point in Point::ALL {
        suite::these_seeds(point, seeds.min(SEEDS), || ledger.clone()).await;
    }
}

async fn make_table(endpoint: &str) {
    let keys = SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "tests"));
    let account = aws::account_at(endpoint, REGION).await.to_builder().credentials_provider(keys).build();
    let mut call = Client::new(&account).create_table().table_name(TABLE);
    for (name, role) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let schema = KeySchemaElement::builder().attribute_name(name).key_type(role);
        let kind = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        call = call.key_schema(schema.build().expect("a key"));
        call = call.attribute_definitions(kind.build().expect("a column"));
    }
    call.billing_mode(BillingMode::PayPerRequest).send().await.expect("a table");
}
