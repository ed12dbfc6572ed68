/* The rows.  Nothing else names an option. */
#include "config/options.h"

#include "engine/base/units.h"

#define AT(member) .at = offsetof(struct asbi_config, member)
#define RANGE(least, most) .min = (least), .max = (most)
#define REALS(least, most) .real_min = (least), .real_max = (most)
#define WORD(name, value) .word = (name), .word_value = (value)
#define KEYS(...)                                                    \
    .keys = (const struct asbi_option_key[]){ __VA_ARGS__ },         \
    .key_count = sizeof((struct asbi_option_key[]){ __VA_ARGS__ }) / \
                 sizeof(struct asbi_option_key)

#define TEXT .type = ASBI_OPTION_TEXT
#define PATH .type = ASBI_OPTION_PATH
#define SECRET .type = ASBI_OPTION_SECRET
#define CHOICE .type = ASBI_OPTION_CHOICE
#define INDEX .type = ASBI_OPTION_INDEX
#define EITHER .type = ASBI_OPTION_EITHER
#define SWITCH .type = ASBI_OPTION_SWITCH
#define COUNT .type = ASBI_OPTION_COUNT
#define DURATION .type = ASBI_OPTION_DURATION
#define SIZE .type = ASBI_OPTION_SIZE
#define MONEY .type = ASBI_OPTION_MONEY
#define REAL .type = ASBI_OPTION_REAL

#define FILES "Input and output"
#define PROVIDER "Provider"
#define TASK "Task"
#define BATCHES "Batches"
#define LIMITS "Limits of the job"
#define CALLS "Limits of a call"
#define DISPLAY "Display"
#define SIMULATOR "Simulator"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)
#define DAY (86400 * ASBI_SECOND)
#define MONEY_MAX ((uint64_t)INT64_C(1000000000) * ASBI_USD)

#define BLOCK "batch_processing."

/* clang-format off */
const struct asbi_option asbi_option_table[] = {
    { .info = { "config", "c", "FILE", FILES, "",
        "Configuration in YAML; without it asyncbatch.yaml or "
        "config/pipeline.yaml, if present." },
      PATH, AT(config), .command_only = true },
    { .info = { "input", "i", "PATH", FILES, "-",
        "Where items come from; - is standard input." },
      PATH, AT(input) },
    { .info = { "output", "o", "PATH", FILES, "-",
        "Where answers go; - is standard output." },
      PATH, AT(output) },
    { .info = { "input_format", NULL, "csv|jsonl|msgpack", FILES, "",
        "Format of the input; without it by suffix, jsonl for -." },
      CHOICE, AT(input_format) },
    { .info = { "output_format", NULL, "csv|jsonl|msgpack", FILES, "",
        "Format of the output; without it by suffix, jsonl for -." },
      CHOICE, AT(output_format) },
    { .info = { "id_column", NULL, "NAME", FILES, "",
        "CSV column of the id; without it string_id or id." },
      TEXT, AT(id_column) },
    { .info = { "text_column", NULL, "NAME", FILES, "",
        "CSV column of the text; without it tokenized_zh, source_zh, "
        "source_text or text." },
      TEXT, AT(text_column) },
    { .info = { "order", NULL, "input|completion", FILES, "input",
        "Order of the answers." },
      EITHER, AT(order_by_completion),
      KEYS({ BLOCK "parallel.preserve_order", NULL, "input",
             "completion" }) },
    { .info = { "strict", NULL, NULL, FILES, "false",
        "Refuse an input with a bad line before anything is sent." },
      SWITCH, AT(strict) },
    { .info = { "fail_fast", NULL, NULL, FILES, "false",
        "Stop at the first failed item." },
      SWITCH, AT(fail_fast), KEYS({ .path = BLOCK "parallel.fail_fast" }) },

    { .info = { "provider", "p", "NAME", PROVIDER, "sim",
        "Who answers: sim is embedded, free and offline." },
      TEXT, AT(provider) },
    { .info = { "base_url", NULL, "URL", PROVIDER, "",
        "Where the provider's API begins; without it the provider's own." },
      TEXT, AT(base_url) },
    { .info = { "model", "m", "NAME", PROVIDER, "",
        "The model to ask." },
      TEXT, AT(model) },
    { .info = { "api_key", NULL, "env:NAME|file:PATH", PROVIDER, "",
        "Where the key is read from; without it the provider's usual "
        "variable." },
      SECRET, AT(api_key) },
    { .info = { "catalogue", NULL, "FILE", PROVIDER, "",
        "YAML with models and providers that extend the built-in ones." },
      PATH, AT(catalogue) },
    { .info = { "ca_file", NULL, "FILE", PROVIDER, "",
        "Certificates to trust instead of the system's." },
      PATH, AT(ca_file) },
    { .info = { "proxy", NULL, "URL", PROVIDER, "",
        "Proxy for all calls; none for no proxy; without it the "
        "environment's." },
      TEXT, AT(proxy) },
    { .info = { "http2", NULL, NULL, PROVIDER, "false",
        "Use HTTP/2 where the server speaks it." },
      SWITCH, AT(http2) },
    { .info = { "stream", NULL, "auto|on|off", PROVIDER, "auto",
        "Take answers as they are written." },
      CHOICE, AT(stream) },
    { .info = { "structured", NULL, "auto|schema|json|off", PROVIDER, "auto",
        "How the form of an answer is asked for." },
      CHOICE, AT(structured) },
    { .info = { "temperature", NULL, "NUMBER", PROVIDER, "none",
        "Sampling temperature; none sends none." },
      REAL, AT(temperature), REALS(0, 2), WORD("none", -1) },

    { .info = { "task", NULL, "translate|classify|prompt|raw", TASK, "",
        "What is asked for each item; without it by the input." },
      CHOICE, AT(task) },
    { .info = { "source_lang", NULL, "LANG", TASK, "",
        "Language of the texts; without it the model sees for itself." },
      TEXT, AT(source_lang) },
    { .info = { "target_lang", NULL, "LANG", TASK, "",
        "Language to translate into." },
      TEXT, AT(target_lang) },
    { .info = { "instructions", NULL, "FILE", TASK, "",
        "Rules for the model; for classify and prompt the task itself." },
      PATH, AT(instructions) },
    { .info = { "style", NULL, "FILE", TASK, "",
        "Style guide, put into every prompt." },
      PATH, AT(style) },
    { .info = { "glossary", NULL, "FILE", TASK, "",
        "Binding terms, in YAML or CSV." },
      PATH, AT(glossary) },
    { .info = { "labels", NULL, "A,B,C", TASK, "",
        "The answers that classify may give." },
      TEXT, AT(labels) },

    { .info = { "batch_size", NULL, "N", BATCHES, "auto",
        "Fixed items per call; turns dynamic sizing off." },
      COUNT, AT(batch_size), RANGE(0, 10000), WORD("auto", 0),
      KEYS({ .path = BLOCK "batch_size" }) },
    { .info = { "dynamic_sizing", NULL, NULL, BATCHES, "true",
        "Fit the size of batches to context, latency and quality." },
      SWITCH, AT(dynamic_sizing), KEYS({ .path = BLOCK "dynamic_sizing" }) },
    { .info = { "batch_items_max", NULL, "N", BATCHES, "100",
        "Most items per call under dynamic sizing." },
      COUNT, AT(batch_items_max), RANGE(1, 10000),
      .variable = "SMART_BATCHER_MAX_SIZE" },
    { .info = { "batch_cost_max", NULL, "USD", BATCHES, "none",
        "Most that one call may cost." },
      MONEY, AT(batch_cost_max), RANGE(1, MONEY_MAX), WORD("none", 0),
      .variable = "SMART_BATCHER_MAX_COST" },
    { .info = { "batch_target", NULL, "DURATION", BATCHES, "30s",
        "Time that a call should take at most." },
      DURATION, AT(batch_target_ns), RANGE(ASBI_MS, DAY),
      KEYS({ .path = BLOCK "target_batch_time_ms", .unit = "ms" }) },
    { .info = { "batch_wait", NULL, "DURATION", BATCHES, "auto",
        "Longest wait for more items; auto goes by class." },
      DURATION, AT(batch_wait_ns), RANGE(ASBI_MS, DAY), WORD("auto", 0) },
    { .info = { "token_buffer", NULL, "N", BATCHES, "500",
        "Tokens of the model's context that stay free." },
      COUNT, AT(token_buffer), RANGE(0, 10000000),
      KEYS({ .path = BLOCK "token_buffer" }) },
    { .info = { "grouping", NULL, NULL, BATCHES, "false",
        "Keep items of similar length together." },
      SWITCH, AT(grouping), KEYS({ .path = BLOCK "grouping.enabled" }) },
    { .info = { "similarity_threshold", NULL, "NUMBER", BATCHES, "0.8",
        "How alike items of one group are." },
      REAL, AT(similarity_threshold), REALS(0, 1),
      KEYS({ .path = BLOCK "grouping.similarity_threshold" }) },
    { .info = { "max_length_variance", NULL, "N", BATCHES, "100",
        "Most difference in length, in characters, within one group." },
      COUNT, AT(max_length_variance), RANGE(0, 1000000000),
      KEYS({ .path = BLOCK "grouping.max_length_variance" }) },

    { .info = { "workers", NULL, "N", LIMITS, "auto",
        "Most calls in flight; auto adapts to the provider." },
      COUNT, AT(workers), RANGE(0, 65536), WORD("auto", 0),
      KEYS({ BLOCK "parallel.enabled", NULL, NULL, "1" },
           { .path = BLOCK "parallel.max_workers" },
           { .path = BLOCK "max_workers" }, { .path = "max_workers" }) },
    { .info = { "budget", NULL, "USD", LIMITS, "none",
        "Most that the job may cost." },
      MONEY, AT(budget), RANGE(1, MONEY_MAX), WORD("none", INT64_MAX) },
    { .info = { "deadline", NULL, "DURATION", LIMITS, "none",
        "When the job should be done, from its start." },
      DURATION, AT(deadline_ns), RANGE(ASBI_MS, 366 * DAY),
      WORD("none", 0) },
    { .info = { "priority", NULL, "normal|urgent|background", LIMITS,
        "normal", "Class of items that name none." },
      INDEX, AT(priority) },
    { .info = { "priority_weights", NULL, "SPEC", LIMITS,
        "urgency=0.4,cost=0.25,wait=0.2,risk=0.15",
        "What decides which batch goes first." },
      TEXT, AT(priority_weights) },
    { .info = { "class_shares", NULL, "SPEC", LIMITS,
        "urgent=0.5,normal=0.4,background=0.1",
        "What each class is sure of when there is too much of all." },
      TEXT, AT(class_shares) },
    { .info = { "class_targets", NULL, "SPEC", LIMITS,
        "urgent=10s,normal=2m,background=20m",
        "How soon an item of each class should be answered." },
      TEXT, AT(class_targets) },
    { .info = { "requests_per_minute", NULL, "N", LIMITS, "auto",
        "Rate limit on calls; auto learns it from the provider." },
      COUNT, AT(requests_per_minute), RANGE(0, UINT32_MAX), WORD("auto", 0),
      .alias = "rpm" },
    { .info = { "tokens_per_minute", NULL, "N", LIMITS, "auto",
        "Rate limit on tokens; auto learns it from the provider." },
      COUNT, AT(tokens_per_minute), RANGE(0, UINT64_C(1000000000000)),
      WORD("auto", 0), .alias = "tpm" },
    { .info = { "max_attempts", NULL, "N", LIMITS, "4",
        "How often an item is sent before it fails." },
      COUNT, AT(max_attempts), RANGE(1, 100) },
    { .info = { "retry_unknown", NULL, NULL, LIMITS, "true",
        "Ask again when a call may or may not have been answered; it may be "
        "paid twice." },
      SWITCH, AT(retry_unknown) },
    { .info = { "max_item_bytes", NULL, "SIZE", LIMITS, "1MiB",
        "Largest item." },
      SIZE, AT(max_item_bytes), RANGE(1, GIB) },
    { .info = { "max_memory", NULL, "SIZE", LIMITS, "6MiB",
        "Items and answers held at once." },
      SIZE, AT(max_memory_bytes), RANGE(64 * KIB, 1024 * GIB) },
    { .info = { "seed", NULL, "N", LIMITS, "auto",
        "Makes every random choice the same again." },
      COUNT, AT(seed), RANGE(0, UINT64_MAX), WORD("auto", 0) },

    { .info = { "connect_timeout", NULL, "DURATION", CALLS, "10s",
        "Most time for name, connection and TLS." },
      DURATION, AT(connect_timeout_ns), RANGE(ASBI_MS, DAY) },
    { .info = { "first_byte_timeout", NULL, "DURATION", CALLS, "120s",
        "Most time until an answer begins." },
      DURATION, AT(first_byte_timeout_ns), RANGE(ASBI_MS, DAY) },
    { .info = { "stall_timeout", NULL, "DURATION", CALLS, "60s",
        "Most silence within an answer." },
      DURATION, AT(stall_timeout_ns), RANGE(ASBI_MS, DAY) },
    { .info = { "call_timeout", NULL, "DURATION", CALLS, "600s",
        "Most time for a whole call." },
      DURATION, AT(call_timeout_ns), RANGE(ASBI_MS, DAY) },
    { .info = { "max_answer_bytes", NULL, "SIZE", CALLS, "16MiB",
        "Largest answer, unpacked." },
      SIZE, AT(max_answer_bytes), RANGE(KIB, GIB) },
    { .info = { "max_header_bytes", NULL, "SIZE", CALLS, "64KiB",
        "Most bytes of headers of an answer." },
      SIZE, AT(max_header_bytes), RANGE(KIB, 16 * MIB) },

    { .info = { "progress", NULL, "auto|bar|plain|json|none", DISPLAY,
        "auto", "How progress is shown on standard error." },
      CHOICE, AT(progress) },
    { .info = { "log_level", NULL, "error|warn|info|debug", DISPLAY, "warn",
        "What is told on standard error." },
      CHOICE, AT(log_level) },
    { .info = { "metrics", NULL, "FILE", DISPLAY, "",
        "JSON lines of counters while the job runs." },
      PATH, AT(metrics),
      KEYS({ BLOCK "metrics.enabled", NULL, NULL, "" },
           { .path = BLOCK "metrics.export_path" }) },
    { .info = { "metrics_interval", NULL, "DURATION", DISPLAY, "1s",
        "Time between two lines of metrics." },
      DURATION, AT(metrics_interval_ns), RANGE(10 * ASBI_MS, DAY),
      KEYS({ .path = BLOCK "metrics.realtime_interval_ms", .unit = "ms" }) },
    { .info = { "summary", NULL, "FILE", DISPLAY, "",
        "One JSON object at the end of the job." },
      PATH, AT(summary) },

    { .info = { "sim_latency", NULL, "SPEC", SIMULATOR,
        "base=200ms,per_output_token=1ms,sigma=0.3",
        "How long a simulated call takes." },
      TEXT, AT(sim_latency), KEYS({ .path = "simulator.latency" }) },
    { .info = { "sim_rpm", NULL, "N", SIMULATOR, "none",
        "Calls that the simulator allows a minute." },
      COUNT, AT(sim_rpm), RANGE(0, UINT32_MAX), WORD("none", 0),
      KEYS({ .path = "simulator.rpm" }) },
    { .info = { "sim_tpm", NULL, "N", SIMULATOR, "none",
        "Tokens that the simulator allows a minute." },
      COUNT, AT(sim_tpm), RANGE(0, UINT64_C(1000000000000)),
      WORD("none", 0), KEYS({ .path = "simulator.tpm" }) },
    { .info = { "sim_capacity", NULL, "N", SIMULATOR, "none",
        "Calls that the simulator serves at once; more wait." },
      COUNT, AT(sim_capacity), RANGE(0, 1000000), WORD("none", 0),
      KEYS({ .path = "simulator.capacity" }) },
    { .info = { "sim_error_rate", NULL, "SHARE", SIMULATOR, "0",
        "Share of calls answered with a server error." },
      REAL, AT(sim_error_rate), REALS(0, 1),
      KEYS({ .path = "simulator.error_rate" }) },
    { .info = { "sim_drop_item_rate", NULL, "SHARE", SIMULATOR, "0",
        "Share of items left out of an answer." },
      REAL, AT(sim_drop_item_rate), REALS(0, 1),
      KEYS({ .path = "simulator.drop_item_rate" }) },
    { .info = { "sim_truncate_rate", NULL, "SHARE", SIMULATOR, "0",
        "Share of answers cut at the output limit." },
      REAL, AT(sim_truncate_rate), REALS(0, 1),
      KEYS({ .path = "simulator.truncate_rate" }) },
    { .info = { "sim_garbage_rate", NULL, "SHARE", SIMULATOR, "0",
        "Share of answers that are not what was asked for." },
      REAL, AT(sim_garbage_rate), REALS(0, 1),
      KEYS({ .path = "simulator.garbage_rate" }) },
    { .info = { "sim_disconnect_rate", NULL, "SHARE", SIMULATOR, "0",
        "Share of answers whose connection is cut." },
      REAL, AT(sim_disconnect_rate), REALS(0, 1),
      KEYS({ .path = "simulator.disconnect_rate" }) },
    { .info = { "sim_seed", NULL, "N", SIMULATOR, "1",
        "Makes the simulator do the same again." },
      COUNT, AT(sim_seed), RANGE(0, UINT64_MAX),
      KEYS({ .path = "simulator.seed" }) },
};
/* clang-format on */

const size_t asbi_option_count =
    sizeof(asbi_option_table) / sizeof(asbi_option_table[0]);
