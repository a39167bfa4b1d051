use fourstroke::{
    event::Event,
    ports::{Payload, Trigger},
    report::Disposition,
    testkit::{report, trigger},
};
use fourstroke_adapters::iot::{IotTrigger, Whole};

use super::lambda::{self, decode, fixture};

fn invocation(body: impl Into<bytes::Bytes>, id: &str) -> Payload {
    let attributes = vec![(IotTrigger::REQUEST_ID.into(), id.into())];
    Payload { attributes, ..lambda::payload(body) }
}

#[test]
fn trigger_keeps_the_contract() {
    let payload = |raw: &[trigger::Raw]| invocation(raw[0].body.clone(), "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    let can = trigger::Capabilities { bad_records: false, ..lambda::each(0, 1) };
    trigger::suite(&IotTrigger, payload, lambda::whole, can);
}

#[test]
fn a_payload_is_the_event() {
    let body = fixture("iot");
    let decoded = IotTrigger.decode(invocation(body.clone(), "8476a536")).unwrap();
    assert_eq!(decoded, [Event::new("8476a536", body).into()]);
}

#[test]
fn without_a_request_id_the_events_id_is_made_up() {
    let id = |payload: Payload| IotTrigger.decode(payload).unwrap()[0].event().clone();
    let (one, other) = (id(lambda::payload("{}")), id(invocation("{}", "")));
    assert!(one.id != other.id && !one.stable_id && !other.stable_id && !one.id.is_empty());
}

#[test]
fn a_fatal_error_fails_the_invocation() {
    use fourstroke::error::{Code, Error, Stage};
    let mut report = report(decode(&IotTrigger, "{}"), |_| Disposition::Passed);
    assert_eq!(IotTrigger.reply(&report), Whole::Done);
    report.fatal = Some(Error::fatal(Stage::Act, Code::SINK_FATAL, "made up"));
    assert_eq!(IotTrigger.reply(&report), Whole::Again);
}
