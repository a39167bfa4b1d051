//! The model does what AWS was recorded to do. LocalStack's tests run against AWS and keep what it did; each case here names the test
//! (`tests/aws/services/lambda_/event_source_mapping/test_lambda_integration_kinesis.py`, records of November 2025).

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    model::{Destination, Mapping, Outcome, Place, Settings, Stream},
    scripted::{run, run_all, stream},
};

/// Settings that most of those tests have: a window of a second.
fn settings() -> Settings {
    Settings { maximum_batching_window: Duration::from_secs(1), ..Settings::default() }
}

fn names(numbers: impl IntoIterator<Item = Value>) -> Outcome {
    let failures: Vec<Value> = numbers.into_iter().map(|number| json!({ "itemIdentifier": number })).collect();
    Outcome::Answered(json!({ "batchItemFailures": failures }))
}

/// The one document of what was given up, without what differs from run to run.
fn document(mapping: &Mapping<'_>) -> Value {
    let [mut document] = <[Value; 1]>::try_from(mapping.documents()).unwrap();
    for volatile in ["requestId", "functionArn"] {
        assert!(document["requestContext"].as_object_mut().unwrap().remove(volatile).is_some());
    }
    for time in ["approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord"] {
        assert!(document["KinesisBatchInfo"].as_object_mut().unwrap().remove(time).is_some());
    }
    assert!(document.as_object_mut().unwrap().remove("timestamp").is_some());
    document
}

/// That document, where it is of one record.
fn of_one(stream: &Stream, number: usize, condition: &str, count: u32, error: Option<Value>) -> Value {
    let number = Stream::sequence_number((0, number));
    let mut document = json!({
        "requestContext": { "condition": condition, "approximateInvokeCount": count },
        "version": "1.0",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000",
            "startSequenceNumber": number,
            "endSequenceNumber": number,
            "batchSize": 1,
            "streamArn": stream.arn(),
        },
    });
    if let Some(error) = error {
        document["responseContext"] =
            json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": error });
    }
    document
}

/// `test_kinesis_report_batch_item_failures`: of six records the last fails; its attempts begin anew behind the partial success.
#[test]
fn report_batch_item_failures() {
    let settings = Settings {
        batch_size: 3,
        maximum_retry_attempts: Some(3),
        report_batch_item_failures: true,
        on_failure: Some(Destination::Sqs),
        ..settings()
    };
    let stream = stream(&["test_0", "test_1", "test_2", "test_3", "test_4", "test_5"].map(|key| (key, 0)));
    let last = (0, 5);
    let fails = |places: &[Place]| names(places.contains(&last).then(|| json!(Stream::sequence_number(last))));
    let (invoked, mapping) = run_all(settings, &stream, fails);
    assert_eq!(invoked, [vec![0, 1, 2], vec![3, 4, 5], vec![5], vec![5], vec![5], vec![5]]);
    let expected = of_one(&stream, 5, "RetryAttemptsExhausted", 4, Some(Value::Null));
    assert_eq!(document(&mapping), expected);
}

/// `test_kinesis_report_batch_item_failure_scenarios`: what names no record fails the whole batch, each time.
#[test]
fn report_batch_item_failure_scenarios() {
    let settings = Settings {
        batch_size: 1,
        maximum_retry_attempts: Some(2),
        report_batch_item_failures: true,
        on_failure: Some(Destination::Sqs),
        ..settings()
    };
    let stream = stream(&[("test", 0)]);
    let foo = |value: Value| Outcome::Answered(json!({ "batchItemFailures": [{ "foo": value }] }));
    let scenarios = [
        ("item_identifier_not_present_failure", names([json!(123)]), Value::Null),
        ("empty_string_item_identifier_failure", names([json!("")]), Value::Null),
        ("null_item_identifier_failure", names([Value::Null]), Value::Null),
        ("invalid_key_foo_failure", foo(json!(123)), Value::Null),
        ("invalid_key_foo_null_value_failure", foo(Value::Null), Value::Null),
        ("unhandled_exception_in_function", Outcome::FunctionError, json!("Unhandled")),
    ];
    for (name, outcome, error) in scenarios {
        let (invoked, mapping) = run_all(settings.clone(), &stream, |_| outcome.clone());
        assert_eq!(invoked, [[0], [0], [0]], "{name}");
        let expected = of_one(&stream, 0, "RetryAttemptsExhausted", 3, Some(error));
        assert_eq!(document(&mapping), expected, "{name}");
    }
}

/// `test_kinesis_report_batch_item_success_scenarios`: what names nothing at all is success.
#[test]
fn report_batch_item_success_scenarios() {
    let settings =
        Settings { batch_size: 1, maximum_retry_attempts: Some(2), report_batch_item_failures: true, ..settings() };
    let stream = stream(&[("test", 0)]);
    let scenarios = [
        ("empty_string_success", json!("")),
        ("empty_list_success", json!([])),
        ("null_success", Value::Null),
        ("empty_dict_success", json!({})),
        ("empty_batch_item_failure_success", json!({ "batchItemFailures": [] })),
        ("null_batch_item_failure_success", json!({ "batchItemFailures": null })),
    ];
    for (name, answer) in scenarios {
        let (invoked, mapping) = run_all(settings.clone(), &stream, |_| Outcome::Answered(answer.clone()));
        assert_eq!((invoked, mapping.discarded().len()), (vec![vec![0]], 0), "{name}");
    }
}

/// `test_kinesis_event_source_mapping_with_on_failure_destination_config`, `…_with_sns_on_failure_destination_config` and
/// `…_with_s3_on_failure_destination`: the same document everywhere, with the records in S3 alone.
#[test]
fn on_failure_destinations() {
    let stream = stream(&[("custom", 0)]);
    for destination in [Destination::Sqs, Destination::Sns, Destination::S3] {
        let settings =
            Settings { batch_size: 1, maximum_retry_attempts: Some(1), on_failure: Some(destination), ..settings() };
        let (invoked, mapping) = run_all(settings, &stream, |_| Outcome::FunctionError);
        assert_eq!(invoked, [[0], [0]], "{destination:?}");
        let mut expected = of_one(&stream, 0, "RetryAttemptsExhausted", 2, Some(json!("Unhandled")));
        if destination == Destination::S3 {
            let number = Stream::sequence_number((0, 0));
            expected["payload"] = json!({ "Records": [{
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "custom",
                    "sequenceNumber": number,
                    // "record 0"
                    "data": "cmVjb3JkIDA=",
                    "approximateArrivalTimestamp": 1_764_000_000.0,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": format!("shardId-000000000000:{number}"),
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/orders",
                "awsRegion": "eu-central-1",
                "eventSourceARN": stream.arn(),
            }] });
        }
        assert_eq!(document(&mapping), expected, "{destination:?}");
    }
}

/// `test_kinesis_maximum_record_age_exceeded[expire-while-retrying]`: eight invocations, from a moment of the minute on that was not
/// recorded, and no response in the document.
#[test]
fn a_record_expires_while_it_is_retried() {
    let age = Some(Duration::from_secs(60));
    let settings =
        Settings { batch_size: 1, maximum_record_age: age, on_failure: Some(Destination::Sqs), ..settings() };
    let stream = stream(&[("test", 0)]);
    let (invoked, mapping) = run_all(settings, &stream, |_| Outcome::FunctionError);
    assert_eq!(invoked.len(), 8);
    let expected = of_one(&stream, 0, "RecordAgeExceeded", 8, None);
    assert_eq!(document(&mapping), expected);
}

/// `test_kinesis_maximum_record_age_exceeded[expire-before-ingestion]`: it is never invoked, and counts one invocation.
#[test]
fn a_record_expires_before_it_is_read() {
    let settings = Settings {
        batch_size: 1,
        maximum_record_age: Some(Duration::from_secs(60)),
        maximum_retry_attempts: Some(0),
        on_failure: Some(Destination::Sqs),
        ..settings()
    };
    let stream = stream(&[("test", 0)]);
    let mut mapping = Mapping::new(settings, &stream);
    let invoked = run(&mut mapping, Duration::from_secs(61), |_| Outcome::FunctionError);
    assert!(invoked.is_empty());
    let expected = of_one(&stream, 0, "RecordAgeExceeded", 1, None);
    assert_eq!(document(&mapping), expected);
}

/// `test_kinesis_maximum_record_age_exceeded_discard_records`: the old one alone is given up, those behind it in the batch are not.
#[test]
fn an_old_record_is_given_up_alone() {
    let settings = Settings {
        batch_size: 10,
        maximum_record_age: Some(Duration::from_secs(60)),
        maximum_retry_attempts: Some(0),
        on_failure: Some(Destination::Sqs),
        ..settings()
    };
    let stream = stream(&[("test", 0), ("test", 80), ("test", 80), ("test", 80), ("test", 80), ("test", 80)]);
    let mut mapping = Mapping::new(settings, &stream);
    let invoked = run(&mut mapping, Duration::from_secs(85), |_| Outcome::Answered(Value::Null));
    assert_eq!(invoked, [[1, 2, 3, 4, 5]]);
    let expected = of_one(&stream, 0, "RecordAgeExceeded", 1, None);
    assert_eq!(document(&mapping), expected);
}

/// `test_kinesis_event_source_trim_horizon`: what was put before the mapping was made comes too, in batches of ten.
#[test]
fn trim_horizon() {
    let settings = Settings { batch_size: 10, ..Settings::default() };
    let stream = stream(&[[("test_0", 0); 10], [("test_1", 5); 10], [("test_2", 10); 10]].concat());
    let mut mapping = Mapping::new(settings, &stream);
    let invoked = run(&mut mapping, Duration::from_secs(20), |_| Outcome::Answered(Value::Null));
    assert_eq!(invoked, [(0..10).collect::<Vec<_>>(), (10..20).collect(), (20..30).collect()]);
}
