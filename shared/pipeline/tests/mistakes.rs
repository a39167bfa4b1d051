//! Mistakes in the pipeline file: every one at once, at its place, with what to do; and never a panic.

mod common;

use common::{PIPELINE, World, signature};
use proptest::prelude::*;

async fn mistakes(yaml: &str) -> String {
    match World::default().open(yaml).await {
        Ok(_) => panic!("no mistake was found in\n{yaml}"),
        Err(mistakes) => mistakes.to_string(),
    }
}

/// Changes one part of the good pipeline.
async fn changed(from: &str, to: &str) -> String {
    assert!(PIPELINE.contains(from), "the pipeline has {from:?}");
    mistakes(&PIPELINE.replace(from, to)).await
}

fn says(shown: &str, parts: &[&str]) {
    for part in parts {
        assert!(shown.contains(part), "{part:?} is not in:\n{shown}");
    }
}

#[tokio::test]
async fn three_mistakes_in_three_sections_show_three_carets() {
    let yaml = PIPELINE
        .replace("from: table", "from: tabel")
        .replace("when: .m.probability", "when: .m.probabilty")
        .replace("keep: [.id]", "keeep: [.id]");
    let shown = mistakes(&yaml).await;
    says(&shown, &["pipeline.yaml:13:16", "did you mean `table`?"]);
    says(&shown, &["pipeline.yaml:18:25", "nothing gives `.m.probabilty`", "did you mean `probability`?"]);
    says(&shown, &["pipeline.yaml:19:17", "`keeep` is not a key of `log`", "did you mean `keep`?", "3 mistakes"]);
    assert_eq!(shown.lines().filter(|line| line.contains('^')).count(), 3, "{shown}");
}

#[tokio::test]
async fn types_are_carried_through_the_strokes() {
    // A nullable lookup, compared as if it were there.
    says(&changed("when: .m.probability >= 0.5", "when: .row.weight >= 0.5").await, &["18:25", "1 mistake"]);
    // A condition that is no condition.
    says(&changed("when: .x != null", "when: .x").await, &["`infer.m.when` must be true or false, not float or null"]);
    // A key that is no key.
    says(&changed("key: .k", "key: .x").await, &["`event.key` must be text or an integer, not float or null"]);
    // Text as a number.
    says(
        &changed("features: { x: .x }", "features: { x: .id }").await,
        &["the feature `x` must be a number", "categories: { x: [...] }"],
    );
    // What a model says is not there before it has run.
    says(&changed("features: { x: .x }", "features: { x: .m.probability }").await, &["nothing gives `.m.probability`"]);
    // The facts of the event are there, and only they.
    says(&changed("id: .id\n", "id: '%idd'\n").await, &["nothing gives `%idd`", "did you mean `id`?"]);
    // Expressions change nothing.
    says(&changed("when: .x != null", "when: '.x = 1.0; true'").await, &["read-only"]);
}

#[tokio::test]
async fn what_a_transform_adds_is_known_behind_it_and_nothing_else() {
    let with = |program: &str, when: &str| {
        PIPELINE
            .replace("enrich:", &format!("transform: |\n  {program}\nenrich:"))
            .replace("when: .m.probability >= 0.5", &format!("when: {when}"))
    };
    assert!(World::default().open(&with(".long = length(.id) > 3", ".long")).await.is_ok());
    says(
        &mistakes(&with(".long = length(.id) > 3", ".lnog")).await,
        &["nothing gives `.lnog`", "did you mean `long`?"],
    );
    // A transform that does not compile excuses what would have read its fields.
    let shown = mistakes(&with(".long = length(.idd) > 3", ".long")).await;
    says(&shown, &["nothing gives `.idd`", "1 mistake"]);
    says(&mistakes(&with(". = 5", ".x == 1.0")).await, &["the record must stay an object"]);
    says(&mistakes(&with("%id = \"x\"", ".x == 1.0")).await, &["read-only"]);
}

#[tokio::test]
async fn a_path_is_given_only_by_what_stands_before_it() {
    let with = |program: &str| PIPELINE.replace("enrich:", &format!("transform: |\n  {program}\nenrich:"));
    for fine in [
        ".a = .id\n  .b = .a",
        ".a = { \"b\": 1 }\n  .c = .a.b",
        ".a = {}\n  .a.b = 1\n  .c = .a.b",
        ". = merge(., { \"k\": 1 })\n  .q = .k",
        ".tmp = .id\n  .out = .tmp\n  del(.tmp)",
        ".y = .id\n  . = { \"q\": .y, \"x\": .x, \"id\": .id, \"k\": .k }",
        ".tmp = { \"x\": .id }\n  .out = .tmp.x\n  .tmp = null",
    ] {
        let opened = World::default().open(&with(fine)).await;
        assert!(opened.is_ok(), "{fine}\n{}", opened.unwrap_err());
    }
    says(&mistakes(&with(".b = .route\n  .route = .id")).await, &["nothing gives `.route`", "1 mistake"]);
    says(&mistakes(&with(".a = { \"b\": 1 }\n  .c = .a.d")).await, &["nothing gives `.a.d`", "1 mistake"]);
    says(&mistakes(&with("if .x == 1.0 { return . }")).await, &["`return` is not offered"]);
    says(&mistakes(&with(".row = 1")).await, &["the record already has a field `row`"]);
}

#[tokio::test]
async fn what_may_be_null_is_said_so() {
    says(&changed("when: .m.probability >= 0.5", "when: .x > 1.0").await, &["`.x` may be null: write `(.x || 0.0)`"]);
    says(&changed("when: .m.probability >= 0.5", "when: .größe").await, &["nothing gives `.größe`"]);
}

#[tokio::test]
async fn one_broken_name_excuses_only_what_is_about_it() {
    let yaml = PIPELINE
        .replace("x: \"float?\"", "x: \"flaot?\"")
        .replace("'{ \"id\": .id }'", "'{ \"id\": .x, \"typo\": .idd }'");
    says(&mistakes(&yaml).await, &["`flaot?` is not a type", "nothing gives `.idd`", "2 mistakes"]);
}

#[tokio::test]
async fn what_would_end_the_process_is_refused() {
    let deep = format!("when: {}true{}", "(".repeat(3000), ")".repeat(3000));
    says(&changed("when: .m.probability >= 0.5", &deep).await, &["nested deeper"]);
    let long = format!("when: 'true{}'", " && true".repeat(3000));
    says(&changed("when: .m.probability >= 0.5", &long).await, &["operators"]);
    let cache = "cache: { ttl: 1m, size: 999999999999 }";
    says(&changed("timeout: 100ms", cache).await, &["must be a number of keys from 1 to"]);
    says(&changed("timeout: 100ms", "timeout: 99999999999999999ms").await, &["must be a duration"]);
    let many: String = (0..45_000).map(|place| format!("  s{place}: nowhere\n")).collect();
    says(&changed("stores:\n", &format!("sources:\n{many}stores:\n")).await, &["has no scheme", "and 44950 more"]);
    let escaped = format!("when: \"{} == .id\"", "\\u00e9".repeat(5000));
    says(&changed("when: .m.probability >= 0.5", &escaped).await, &["1 mistake"]);
}

/// Opens the good pipeline with a transform, on a stack as small as threads have.
fn with_transform(program: &str) -> Result<(), String> {
    let program: String = program.lines().map(|line| format!("  {line}\n")).collect();
    let yaml = PIPELINE.replace("enrich:", &format!("transform: |\n{program}enrich:"));
    let open = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(World::default().open(&yaml)).map(drop).map_err(|mistakes| mistakes.to_string())
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(open).unwrap().join().unwrap()
}

#[test]
fn no_expression_uses_up_the_stack_or_takes_for_ever() {
    for (start, more, times, end, words) in [
        ("q = \"a\"\n.s = \"", "{{q}}", 1000, "\"", "templates"),
        ("if .id == \"a\" { .y = 1 }", "\nelse if .id == \"b\" { .y = 2 }", 1500, "", "branches"),
        (".y = 1", " + # and\n1", 1000, "", "operators"),
        (".y = ", "!", 250, "true", "operators"),
        (".a", ".b", 20_000, " = 1", "128 segments"),
        ("x = {}\ny = x", ".b", 20_000, "", "128 segments"),
        ("y = [1]", "[0]", 20_000, "", "128 segments"),
        (".y = ", "to_string(", 30, "1", "calls are nested"),
        ("", "for_each([1]) -> |i, v| {\n", 30, "1", "calls are nested"),
    ] {
        let text = format!("{start}{}{end}", more.repeat(times));
        says(&with_transform(&text).expect_err(more), &[words]);
    }
    // The deepest that are let through.
    for (start, more, times, end) in [
        (".y = 1", " + 1", 198, ""),
        (".y = ", "!", 199, "true"),
        ("q = \"a\"\n.s = \"", "a{{q}}", 99, "\""),
        ("if .id == \"a\" { .y = 1 }", "\nelse if .id == \"b\" { .y = 2 }", 97, ""),
        (".y = ", ".z = ", 198, "1"),
        (".y = ", "(", 64, &format!("1{}", ")".repeat(64))),
        (".y = ", "to_string(", 8, &format!("1{}", ")".repeat(8))),
    ] {
        assert_eq!(with_transform(&format!("{start}{}{end}", more.repeat(times))), Ok(()), "{more}");
    }
}

#[test]
fn what_is_long_but_not_deep_is_taken() {
    let lines = ".y = 1 + 2 - 3\n".repeat(300);
    assert_eq!(with_transform(&format!("if .id == \"a\" {{\n{lines}}}")), Ok(()));
    for fine in [".return = .id\n.@return = .return", ".c, .\"odd x\" = parse_json(.id)\n.d = .\"odd x\""] {
        assert_eq!(with_transform(fine), Ok(()));
    }
}

#[tokio::test]
async fn a_path_that_may_be_null_is_named_only_where_it_matters() {
    let when = async |text: &str| changed("when: .m.probability >= 0.5", &format!("when: '{text}'")).await;
    let null = "`.x` may be null";
    // Beside the compiler's own words.
    let help = "write `(.x || 0.0)`";
    says(&when(".x + 1.0 > 2.0").await, &["unhandled", null, help, "handle the error"]);
    says(&when("floor(.x) > 1.0").await, &[null, help]);
    // Not for what is wrong elsewhere, or where the text sees to null.
    for other in [
        ".x == null && nosuch(.id)",
        "is_null(.x) && .id",
        "exists(.x) && .id",
        "null != .x && .id",
        "(.x || 0.0) > 1.0 && .id",
        ".x == 1.0 && nosuch(.id)",
        ".x == 1.0 && true &&",
    ] {
        let shown = when(other).await;
        assert!(!shown.contains("may be null"), "{other}\n{shown}");
    }
}

#[tokio::test]
async fn a_refused_argument_is_one_sentence() {
    let call = "'{ \"id\": format_timestamp!(%time, \"%H\", timezone: \"local\") }'";
    let shown = changed("data: '{ \"id\": .id }'", &format!("data: {call}")).await;
    says(
        &shown,
        &[
            "error: `timezone`: the machine's own time zone differs from place to place: name one, such as Europe/Berlin",
        ],
    );
    assert!(!shown.contains("received") && !shown.contains("invalid argument"), "{shown}");
}

#[tokio::test]
async fn a_place_is_found_behind_escapes_and_in_folded_text() {
    let quoted = "when: \"\\\"\\u00e9\\\" == .iid\"";
    let shown = changed("when: .m.probability >= 0.5", quoted).await;
    says(&shown, &["nothing gives `.iid`"]);
    let caret = |shown: &str| {
        let lines: Vec<&str> = shown.lines().collect();
        let at = lines.iter().position(|line| line.contains('^')).expect("a caret");
        let start = lines[at].find('^').unwrap();
        lines[at - 1].chars().skip(start).take(lines[at].matches('^').count()).collect::<String>()
    };
    assert_eq!(caret(&shown), ".iid", "{shown}");
    let folded = "when: >-\n        .id ==\n        .iid\n      ";
    let yaml = PIPELINE.replace(
        "    - { name: go, when: .m.probability >= 0.5, to: out, data: '{ \"id\": .id }' }",
        &format!("    - name: go\n      {folded}to: out"),
    );
    let shown = mistakes(&yaml).await;
    assert_eq!(caret(&shown), ".iid", "{shown}");
}

#[tokio::test]
async fn tests_can_only_say_what_can_be() {
    let with = |test: &str| format!("{PIPELINE}tests:\n  - {test}\n");
    let event = "event: { id: a }, expect: { actions: [] }";
    assert!(World::default().open(&with(&format!("{{ name: t, {event} }}"))).await.is_ok());
    says(&mistakes(&with("{ name: t, event: { id: a }, expect: {} }")).await, &["the test expects nothing"]);
    let shown = mistakes(&with(&format!("{{ name: t, given: {{ row: {{ wieght: 1.0 }} }}, {event} }}"))).await;
    says(&shown, &["no `wieght`", "did you mean `weight`?"]);
    let shown = mistakes(&with(&format!("{{ name: t, predict: {{ m: {{ probabilty: 1.0 }} }}, {event} }}"))).await;
    says(&shown, &["`m` never says `probabilty`", "did you mean `probability`?"]);
    let shown = mistakes(&with("{ name: t, event: { id: a }, expect: { actions: [goo] } }")).await;
    says(&shown, &["there is no rule `goo`"]);
}

#[tokio::test]
async fn keys_that_mean_nothing_are_said() {
    says(
        &changed("out: \"memory:\"", "out: { url: \"memory:\", key: [a] }").await,
        &["`key` means nothing for a sink"],
    );
    says(&changed("name: small", "name: \"sm all\"").await, &["`sm all` cannot be a pipeline's name"]);
}

#[tokio::test]
async fn no_clock_no_chance_no_io() {
    for zone in ["local", "(.id)"] {
        let zone = if zone == "local" { "\"local\"".to_owned() } else { zone.to_owned() };
        let call = format!("format_timestamp!(%time, \"%H\", timezone: {zone})");
        assert!(!changed("data: '{ \"id\": .id }'", &format!("data: '{{ \"id\": {call} }}'")).await.is_empty());
    }

    for call in ["now()", "uuid_v4()", "random_int(0, 9)", "get_env_var!(\"HOME\")", "log(\"x\")", "dns_lookup!(\"x\")"]
    {
        let shown = changed("data: '{ \"id\": .id }'", &format!("data: '{{ \"id\": {call} }}'")).await;
        says(&shown, &["undefined function"]);
    }
}

#[tokio::test]
async fn models_and_features_must_fit() {
    let open = |features: usize, yaml: String| async move {
        let world = World { signature: signature(features), ..World::default() };
        world.open(&yaml).await.map(drop).map_err(|mistakes| mistakes.to_string())
    };
    let shown = open(3, PIPELINE.to_owned()).await.unwrap_err();
    says(&shown, &["`m` has 1 features, but the model takes 3", "features F32[N, 3]"]);
    let shown = open(1, PIPELINE.replace("positive: 1", "positive: 7")).await.unwrap_err();
    says(&shown, &["`positive` is 7, but the model's classes are 0, 1"]);
    let shown = open(1, PIPELINE.replace("positive: 1", "positive: 1, sha256: beside")).await.unwrap_err();
    says(&shown, &["is not the pinned one", "pin this one"]);
    let shown = open(1, PIPELINE.replace("positive: 1", "positive: 1, missing: { y: 0 }")).await.unwrap_err();
    says(&shown, &["`infer.m` has no feature `y`"]);
}

#[tokio::test]
async fn what_keeps_state_is_checked() {
    let window = |keys: &str| format!("enrich:\n  w: {{ window: {{ in: table, by: [.id], {keys} }} }}");
    let windowed = async |keys: &str| changed("enrich:", &window(keys)).await;
    says(&windowed("over: [1h], give: [count], evry: 1m").await, &["`evry` is not a key"]);
    says(
        &windowed("over: [banana], give: [cuont]").await,
        &["must be a duration, not `banana`", "did you mean `count`?"],
    );
    says(&windowed("over: [], give: [count]").await, &["must be 1 to 4 durations"]);
    says(&windowed("over: [0s], give: [count]").await, &["must be longer than 0s"]);
    says(&windowed("over: [1h], give: [count, mean]").await, &["has no `value`", "`mean` is made of a value"]);
    says(&windowed("over: [1h], give: [mean], value: .k").await, &["must be a number", "`mean` is made of numbers"]);
    says(&windowed("over: [1h], give: [last], value: .at").await, &["must be a number or text"]);
    says(&windowed("over: [1h], give: [last], value: .xx").await, &["did you mean `x`?"]);
    let beside = "enrich:\n  w: { from: table, window: { in: table, by: [.id], over: [1h], give: [count] } }";
    says(&changed("enrich:", beside).await, &["`enrich.w.from` means nothing beside `window`"]);
    says(&changed("data: '{", "once: tabel, data: '{").await, &["there is no store `tabel`", "did you mean `table`?"]);
    says(&changed("data: '{", "once: { in: table, keep: 0s }, data: '{").await, &["must be at least 1m"]);
    let limit = "limit: { in: table, by: [], at_most: .x, per: 1h }, data: '{";
    says(&changed("data: '{", limit).await, &["must name what is counted apart"]);
    let limit = "limit: { in: table, by: [.id], at_most: .x, per: 1h }, data: '{";
    says(&changed("data: '{", limit).await, &["`act.rules[0].limit.at_most` must be an integer"]);
    says(&windowed("over: [1h, 60m], give: [count]").await, &["has `60m`, which is as long as `1h`"]);
    says(&windowed("over: [1h], give: []").await, &["`enrich.w.window.give` names nothing"]);
    let limit = "limit: { in: table, by: [.id], at_most: 20000, per: 1h }, data: '{";
    says(&changed("data: '{", limit).await, &["must be from 0 to 10000"]);
    let two = "rules:\n    - { name: a, to: out, once: table }\n    - { name: b, to: out, once: other }";
    let two = PIPELINE.replace("rules:", two).replace("stores:", "stores:\n  other: \"memory:\"");
    let shown = World::default().open(&two).await.map(drop).map_err(|mistakes| mistakes.to_string()).unwrap_err();
    says(&shown, &["`once` names `other` here and `table` above"]);
}

#[tokio::test]
async fn a_breaker_that_could_not_trip_or_would_at_once_is_a_mistake() {
    let on_error = async |keys: &str| {
        let yaml = PIPELINE.replace("{ to: dead }", &format!("{{ to: dead, {keys} }}"));
        World::default().open(&yaml).await.map(drop).map_err(|mistakes| mistakes.to_string())
    };
    for good in ["stop_above: 20%", "stop_above: 0.5%, of_last: 200", "stop_above: 99.9%, of_last: 1000000"] {
        assert_eq!(on_error(good).await, Ok(()), "{good}");
    }
    for share in ["x", "20", "0.2", "0%", "-1%", "100%", "nan%", "inf%", "1e1%", "'%'", "", "[20%]"] {
        let shown = on_error(&format!("stop_above: {share}, of_last: 100")).await.unwrap_err();
        says(&shown, &["`on_error.stop_above` must be a share, such as 20%", "above 0% and below 100%", "1 mistake"]);
    }
    for count in ["9", "1000001", "10.5", "-100", "many", "", "[10]"] {
        let shown = on_error(&format!("stop_above: 20%, of_last: {count}")).await.unwrap_err();
        says(&shown, &["`on_error.of_last` must be a whole number of events, from 10 to 1000000", "1 mistake"]);
    }
    let shown = on_error("of_last: 100").await.unwrap_err();
    says(&shown, &["`on_error.of_last` counts for nothing without `stop_above`", "such as `stop_above: 20%`"]);
    let shown = on_error("stop_above: 1%, of_last: 99").await.unwrap_err();
    says(&shown, &["1% of the last 99 events is less than one event", "raise the share, or `of_last`"]);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    says(&mistakes("").await, &["the file is empty"]);
    says(&mistakes("[1, 2]").await, &["must be a mapping"]);
    says(
        &mistakes("fourstroke: v2\nname: x\non_error: { to: y }").await,
        &["`fourstroke` cannot be `v2`", "no sink `y`"],
    );
    says(&mistakes("a: [").await, &["not valid YAML", "pipeline.yaml:1"]);
    says(&mistakes("name: x\nname: y").await, &["`name` stands here twice", "line 1"]);
    says(
        &changed("on_error: { to: dead }", "").await,
        &["the file has no `on_error`", "dead letters must go somewhere"],
    );
    says(&changed("out: \"memory:\"", "out: nowhere").await, &["`nowhere` has no scheme", "1 mistake"]);
    says(&changed("out: \"memory:\"", "out: \"${OUT}\"").await, &["OUT is not set or empty", "1 mistake"]);
    says(
        &changed("x: \"float?\"", "x: \"flaot?\"").await,
        &["`flaot?` is not a type", "did you mean `float`?", "1 mistake"],
    );
    says(&changed("missing: \"null\"", "missing: default").await, &["has no `default`"]);
    says(
        &changed("missing: \"null\"", "default: { wieght: 1.0 }").await,
        &["has `wieght`, which the store's fields do not"],
    );
    says(&changed("timeout: 100ms", "timeout: 100").await, &["must be a duration, not `100`"]);
    says(
        &changed("data: '{ \"id\": .id }'", "data: { id: .id }").await,
        &["must be an expression", "put the expression in quotes"],
    );
}

#[tokio::test]
async fn values_of_variables_are_never_shown() {
    use fourstroke::config::{Environment, PipelineFile};
    let environment = Environment::of([("OUT".to_owned(), "s3cret-without-scheme".to_owned())]);
    let yaml = PIPELINE.replace("out: \"memory:\"", "out: \"${OUT}\"");
    let file = PipelineFile::parse("p.yaml".as_ref(), &yaml, &environment).expect("the rest is readable");
    let shown = format!("{:?}", file.sinks);
    let mistakes = fourstroke::pipeline::Builder::new(file).open(&World::default()).await.unwrap_err().to_string();
    assert!(!shown.contains("s3cret") && !mistakes.contains("s3cret"), "{shown}\n{mistakes}");
    says(&mistakes, &["what OUT gives for `sinks.out` has no scheme"]);
}

#[tokio::test]
async fn aliases_cannot_blow_the_file_up() {
    let mut yaml = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        yaml.push_str(&format!("a{level}: &a{level} [{}]\n", vec![previous; 10].join(", ")));
    }
    says(&mistakes(&yaml).await, &["more than 100000 values"]);
    says(&mistakes(&format!("{}1{}", "[".repeat(1000), "]".repeat(1000))).await, &["pipeline.yaml:1:"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is cut out of a pipeline file or put into it, the answer is a pipeline or mistakes with a place.
    #[test]
    fn no_file_makes_it_panic(from in 0usize..1000, length in 0usize..40, put in "[ -~\\n€]{0,12}") {
        let chars: Vec<char> = PIPELINE.chars().collect();
        let from = from.min(chars.len());
        let to = (from + length).min(chars.len());
        let yaml: String = chars[..from].iter().copied().chain(put.chars()).chain(chars[to..].iter().copied()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        if let Err(mistakes) = runtime.block_on(World::default().open(&yaml)) {
            prop_assert!(!mistakes.list.is_empty());
            prop_assert!(mistakes.list.iter().all(|mistake| mistake.span.start <= yaml.len()));
            prop_assert!(!mistakes.render(true).is_empty());
        }
    }
}
