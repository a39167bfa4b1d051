Strokes::named("fraud", "2024-05")
    .store("customers", "file:customers.csv", &["id"], "limit: float")
    .sink("review", "stdout:")
    .sink("dead", "file:out/dead.jsonl")
    .fields("id: string, customer: string, amount: float")
    .identity(".id", ".customer")
    .enrich(Lookup::new("account", "customers", [".customer"]).default([("limit", float(100.0))]))
    .infer(Infer::new("fraud", "file:fraud.onnx").positive("1").features(".amount .account.limit"))
    .rule(
        Rule::new("look", "review")
            .needs(&["fraud"])
            .when(with(|order| Ok(order.float("fraud.probability")? > 0.9))),
    )
    .dead_letters("dead")
