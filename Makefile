# Two commands do everything: `make run` and `make test`. `make break` shows that nothing is lost.
CARGO ?= cargo
PYTHON ?= python3
VENV := target/venv
# One set of features for all of lint and test, or dependencies are built twice.
FEATURES := --features fourstroke-runtime/otlp

.PHONY: run break lambda localstack-demo bench bench-lambda test lint fuzz stand-ins test-rust test-example test-training test-localstack test-infra

# The flights of October to December 2013, decided half an hour before departure. Sinks append, and what was decided and
# counted is remembered: start afresh.
run:
	@rm -f out/decisions.jsonl out/rebooking.jsonl out/dead.jsonl out/state.redb
	STATE=redb:out/state.redb $(CARGO) run --release --locked -- run examples/flights/pipeline.yaml

# The same with poison between, killed with SIGKILL again and again: is anything lost? Leaves nothing behind.
break:
	@$(CARGO) build --release --locked -p fourstroke-local --bins --example break
	@$(CARGO) run --release --locked --quiet -p fourstroke-local --example break

# The handler for AWS Lambda, as `fourstroke package` wants it: target/handlers/lambda. Ten minutes, and seconds from then on.
lambda:
	@CARGO="$(CARGO)" PYTHON="$(PYTHON)" handlers/lambda/build

# The flights on AWS, end to end on this machine: deployed, put, decided, compared, taken down. localstack/README.md.
# BINARY=FILE is another handler than `make lambda` made.
BINARY ?= target/handlers/lambda/$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)/bootstrap
localstack-demo:
	@[ -e "$(BINARY)" ] || { echo "$(BINARY) is not there: make lambda, or BINARY=FILE"; exit 1; }
	@PYTHON="$(PYTHON)" localstack/install localstack kinesis dynamodb sam
	@[ -e target/stand-ins/sam.installed ] || { echo "sam, which deploys, is not installed: the line above says why"; exit 1; }
	@$(CARGO) build --release --locked --quiet -p fourstroke-local --bin fourstroke
	@target/stand-ins/sam/bin/python localstack/demo --binary "$(BINARY)" --fourstroke target/release/fourstroke

# What a decision costs, beside a loop written by hand, and models beside onnxruntime: bench/README.md. Some minutes, once it is built.
bench:
	@.ci/with-python $(PYTHON) $(VENV)-onnxruntime bench/peers/requirements-models.txt -c ""
	@.ci/with-python $(PYTHON) $(VENV)-lleaves bench/peers/requirements-lleaves.txt -c ""
	PYTHON=$(CURDIR)/$(VENV)-onnxruntime/bin/python LLEAVES_PYTHON=$(CURDIR)/$(VENV)-lleaves/bin/python \
		$(CARGO) bench --locked -p fourstroke-bench

# The Lambda handler: payloads, cold starts, size, and invocations under Amazon's emulator beside handlers in Python.
bench-lambda:
	CARGO=$(CARGO) PYTHON=$(PYTHON) bench/lambda

test: test-rust test-example test-training test-infra test-localstack

# Services of AWS on this machine, for tests; what cannot be installed is skipped, visibly.
stand-ins:
	@localstack/install

test-rust: stand-ins
	$(CARGO) test --workspace --locked $(FEATURES)

test-example:
	$(CARGO) run --locked -- test examples/flights/pipeline.yaml

# Regenerates the example's data from its source and compares, runs the models against onnxruntime.
test-training:
	@.ci/with-python $(PYTHON) $(VENV) examples/flights/training/requirements.txt \
		-m pytest -q -p no:cacheprovider examples/flights/training

# template.yaml and infra/ without an account: validated, tested, compared, applied to a stand-in (infra/check/README.md).
test-infra: stand-ins
	@.ci/with-python $(PYTHON) $(VENV)-checkov infra/check/requirements-checkov.txt -c ""
	@.ci/with-python $(PYTHON) $(VENV)-infra infra/check/requirements.txt -m pytest -c infra/check/pytest.ini infra/check

# What test-rust builds is deployed to LocalStack.
test-localstack: stand-ins
	@$(CARGO) test --workspace --locked $(FEATURES) --no-run --quiet
	@localstack/test target/debug/bootstrap target/debug/fourstroke

# FUZZ_SECONDS of mutated bad input, on the stable toolchain.
fuzz:
	CARGO=$(CARGO) fuzz/run

lint:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets --locked $(FEATURES) -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet
	.ci/links
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check bans licenses sources; \
		else echo "SKIPPED: licences and sources: cargo-deny is not installed (cargo install cargo-deny)"; fi
