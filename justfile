# Lists the recipes.
default:
    @just --list

# Everything that CI runs: formatting, lints, documentation, tests, quickstart.
check:
    .ci/run

# Formats the code.
fmt:
    cargo fmt

# Lints as CI does.
lint:
    cargo clippy --locked --all-targets -- -D warnings

# Runs the tests, or those whose names contain a text.
test *name:
    cargo test --locked {{ name }}

# Takes over changed snapshots of what people read; look at `git diff tests src` afterwards.
snapshots:
    INSTA_UPDATE=always cargo test --locked

# Runs one round with the sample feeds; the mail lands in config/quickstart-mail/new.
quickstart:
    cargo run --release -- run --once --config config/quickstart.toml

# Kills the daemon so many times at random instants; FEEDWATCH_SEED says at which.
kill times="200":
    FEEDWATCH_KILLS={{times}} cargo test --test kill -- --nocapture

# Licences, banned and duplicate crates (needs cargo-deny).
deny:
    cargo deny check licenses bans sources

# Exposure of the systemd unit (needs systemd-analyze).
unit:
    systemd-analyze security --offline=true --threshold=15 systemd/feedwatch.service

# Writes the man pages into target/man.
man:
    cargo run -- man target/man

# Matching beside an automaton and a plain loop.
bench-matching:
    cargo bench --locked --bench matching

# Whole rounds of so many feeds beside a bare loop.
bench-round feeds="10000":
    cargo bench --locked --bench round -- {{ feeds }}
