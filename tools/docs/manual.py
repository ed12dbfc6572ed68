"""Pages of the manual, in the man macros that man and mandoc understand."""

import re

from options import dashed, default_of, groups, is_on, switch_forms


def escape(text):
    """Text as roff prints it: hyphens that can be copied, no requests."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = text.replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"(?m)^\.", r"\\&.", text)


def filled(text):
    """A paragraph, a sentence on each line."""
    text = re.sub(r"\s+", " ", text).strip()
    return "\n".join(escape(s) for s in re.split(r"(?<=[.!?]) (?=[A-Z])", text))


def literal(text):
    lines = [escape(line) for line in text.rstrip("\n").split("\n")]
    return "\n".join([".nf", *(line or "\\&" for line in lines), ".fi"])


def page(name, section, known, about, parts):
    """The whole page.  A heading is a break by itself."""
    text = "\n".join(parts) + "\n"
    text = re.sub(r"(?m)^(\.S[SH] .*\n)\.PP\n", r"\1", text)
    return title(name, section, known, about) + text


def title(name, section, known, about):
    return (f'.\\" Generated from the tables of the program; do not edit.\n'
            f'.TH {name.upper()} {section} "{known["date"]}" "asyncbatch {known["version"]}" '
            f'"{about}"\n')


def paragraphs(text):
    """Lines are paragraphs; indented ones stay as they are."""
    out = []
    block = []
    for line in (text or "").split("\n") + [""]:
        if line.startswith(" "):
            block.append(line)
            continue
        if block:
            out.append(".PP\n" + literal("\n".join(block)))
            block = []
        if line:
            out.append(".PP\n" + filled(line))
    return out


def option_entry(option, prefix=""):
    names = []
    if option["short"]:
        names.append("\\fB\\-" + option["short"] + "\\fR")
    for form in switch_forms(option, prefix):
        names.append("\\fB" + escape(form) + "\\fR")
    shown = ", ".join(names)
    if option["argument"]:
        shown += " \\fI" + escape(option["argument"]) + "\\fR"
    default = default_of(option)
    text = filled(option["help"])
    if default:
        text += f"\nDefault: {escape(default)}."
    return f".TP\n{shown}\n{text}"


def usage_lines(command):
    lines = command["usage"].split("\n")
    return [line if line.startswith("asyncbatch") else "asyncbatch " + line
            for line in (part.strip() for part in lines) if line]


def command_section(command):
    out = [f".SS {command['name']}"]
    for i, line in enumerate(usage_lines(command)):
        out.append((".PP" if i == 0 else ".br") + "\n\\fB" + escape(line) +
                   "\\fR")
    out += paragraphs(command["text"])
    out += [option_entry(option) for option in command["own"]]
    out += paragraphs(command["after"])
    return out


STATUSES = [
    ("0", "Every item was answered."),
    ("1", "The job is finished, some items failed."),
    ("2", "Usage or configuration error; nothing was sent."),
    ("3", "Stopped by the budget or the provider's spending limit; the same "
          "command goes on."),
    ("4", "The provider is unusable: credentials, unknown model, unreachable; "
          "the same command goes on."),
    ("130", "Interrupted; the same command goes on."),
]

VARIABLES = [
    ("ASYNCBATCH_OPTION", "The value of an option, its name in capitals and "
     "with underscores: ASYNCBATCH_BATCH_SIZE=20 is --batch-size 20."),
    ("SMART_BATCHER_MAX_SIZE", "As --batch-items-max."),
    ("SMART_BATCHER_MAX_COST", "As --batch-cost-max."),
    ("CACHE_MEMORY_SIZE", "As --cache-memory-items."),
    ("OPENAI_API_KEY, ANTHROPIC_API_KEY, ...", "The provider's key, unless "
     "--api-key says where it is.  A run without its key says which variable "
     "it looked for."),
    ("http_proxy, https_proxy, all_proxy, no_proxy", "Unless --proxy is "
     "given."),
]


def tagged(entries):
    return [f".TP\n\\fB{escape(tag)}\\fR\n{filled(text)}"
            for tag, text in entries]


def command_page(known):
    out = [".SH NAME",
           "asyncbatch \\- many small requests through a paid API, batched",
           ".SH SYNOPSIS",
           "\\fBasyncbatch\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]",
           ".br",
           "\\fBasyncbatch\\fR \\fBhelp\\fR [\\fICOMMAND\\fR]",
           ".br",
           "\\fBasyncbatch\\fR \\fB\\-\\-version\\fR",
           ".SH DESCRIPTION",
           filled("Groups many small requests into few paid API calls, sends "
                  "them under every limit that applies, and gives each answer "
                  "back once, in order.  Standard output carries data only; "
                  "the last line on standard error says why the command has "
                  "ended and what to do next."),
           ".SH COMMANDS"]
    for command in known["commands"]:
        out += command_section(command)
    out += [".SH OPTIONS",
            filled("The options of run and plan; other commands say above "
                   "which they take.  sim takes those of the simulator, "
                   "without their first word: \\-\\-rpm is \\-\\-sim\\-rpm."
                   .replace("\\-", "-"))]
    for group, options in groups(known["options"]):
        out.append(f".SS {escape(group)}")
        out += [option_entry(option) for option in options]
    out += [".SH EXIT STATUS", *tagged(STATUSES),
            ".SH ENVIRONMENT", *tagged(VARIABLES),
            ".SH SEE ALSO",
            ".BR asyncbatch.yaml (5),", ".BR libasyncbatch (3)"]
    return page("asyncbatch", 1, known, "User Commands", out)


def key_entry(option):
    shown = "\\fB" + escape(option["name"]) + "\\fR: "
    if option["argument"]:
        shown += "\\fI" + escape(option["argument"]) + "\\fR"
    else:
        shown += "\\fItrue\\fR|\\fIfalse\\fR"
    text = filled(option["help"])
    default = default_of(option) or ("true" if is_on(option) else "")
    if default:
        text += f"\nDefault: {escape(default)}."
    return f".TP\n{shown}\n{text}"


# Keys that are no options, or the same by another name.
FURTHER_KEYS = [
    ("models", "Models by name, over the built-in ones: provider, context, "
     "max_output, and prices in US dollars per million tokens: input, cached, "
     "output.  `asyncbatch models` lists what there is."),
    ("providers", "Providers by name: dialect, base_url, key_variable and, for "
     "dialect json, where request and answer keep what."),
    ("simulator", "The options of the simulator without their first word: rpm "
     "below simulator is sim_rpm."),
    ("batch_processing", "batch_size, dynamic_sizing, target_batch_time_ms "
     "(batch_target), max_workers (workers), token_buffer, grouping.enabled, "
     "grouping.similarity_threshold, grouping.max_length_variance, "
     "parallel.enabled (false: workers 1), parallel.max_workers, "
     "parallel.preserve_order (order), parallel.fail_fast, metrics.enabled, "
     "metrics.export_path (metrics), metrics.realtime_interval_ms "
     "(metrics_interval); model_context_windows and latency_model, tokens and "
     "milliseconds a token by model, and by default for others."),
]


def configuration_page(known):
    out = [".SH NAME",
           "asyncbatch.yaml \\- configuration of asyncbatch",
           ".SH DESCRIPTION",
           filled("Every option of asyncbatch is a key of a file in YAML, with "
                  "underscores for dashes.  The file is named by --config; "
                  "without it asyncbatch.yaml or config/pipeline.yaml in the "
                  "working directory is read, if present.  The command line "
                  "beats the environment, that beats the file."),
           ".PP",
           filled("An unknown key is an error, told with line, column and the "
                  "nearest known key.  Secrets are references, env:NAME or "
                  "file:PATH, never values."),
           ".PP",
           "\\fBasyncbatch config check\\fR [\\fIFILE\\fR] checks a file,",
           "\\fBasyncbatch config show\\fR prints every value and its origin.",
           ".SH KEYS"]
    for group, options in groups(known["options"]):
        options = [o for o in options if o["name"] != "config"]
        if options:
            out.append(f".SS {escape(group)}")
            out += [key_entry(option) for option in options]
    out += [".SH FURTHER KEYS", *tagged(FURTHER_KEYS)]
    out += [".SH EXAMPLE", literal("provider: openai\nmodel: gpt-4.1-mini\n"
                                   "task: translate\ntarget_lang: fr\n"
                                   "budget: 2.50"),
            ".SH SEE ALSO", ".BR asyncbatch (1)"]
    return page("asyncbatch.yaml", 5, known, "File Formats", out)


# ---- the header -------------------------------------------------------------

def comment_text(comment):
    lines = comment.strip()[2:-2].lstrip("*").split("\n")
    return "\n".join(re.sub(r"^\s*\* ?", "", line).rstrip()
                     for line in lines).strip()


def front_page(text):
    """The header's first comment: titles, each over indented lines."""
    out = []
    for part in re.split(r"\n\s*\n", text):
        lines = part.split("\n")
        if not part.startswith("  ") and lines[1:2] and \
                lines[1].startswith("  "):
            out.append(f".SS {escape(lines.pop(0))}")
        out += [".PP", filled(" ".join(lines))]
    return out


def doc_lines(text):
    """A comment's sentences, and a line for each @param and @return."""
    first, *tags = re.split(r"\n(?=@)", text)
    out = [".PP", filled(first)]
    for tag in tags:
        word, _, rest = tag[1:].partition(" ")
        out += [".TP", f"\\fI{escape(word)}\\fR", filled(rest)]
    return out


def declarations(section):
    """(comment or None, code) of what stands between blank lines."""
    section = section.strip("\n")
    for chunk in re.split(r"\n[ \t]*\n(?=(?:/\*|ASB_|enum|struct|typedef|#))",
                          section):
        match = re.match(r"\s*(/\*.*?\*/)\n?", chunk, re.S)
        if match:
            yield comment_text(match.group(1)), chunk[match.end():].strip("\n")
        elif chunk.strip():
            yield None, chunk.strip("\n")


def section_text(heading, section):
    out = [f".SS {escape(heading)}"]
    for comment, code in declarations(section):
        if code.strip():
            out += [".PP", literal(re.sub(r"ASB_(API|CHECKED)\s+", "", code))]
        if comment:
            out += doc_lines(comment)
    return out


def library_page(known, source):
    front = comment_text(re.match(r"/\*.*?\*/", source, re.S).group(0))
    front = re.sub(r"^asyncbatch -- ", "asyncbatch: ", front)
    parts = re.split(r"(?m)^/\* ---- (.*?) -+ \*/$", source)
    out = [".SH NAME",
           "libasyncbatch \\- many small requests through a paid API, batched",
           ".SH SYNOPSIS", ".B #include <asyncbatch/asyncbatch.h>", ".PP",
           "cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs asyncbatch)",
           ".SH DESCRIPTION", *front_page(front)[1:], ".SH FUNCTIONS AND TYPES"]
    for heading, section in zip(parts[1::2], parts[2::2]):
        section = section.split("#ifdef __cplusplus")[0]
        out += section_text(heading.strip(), section)
    out += [".SH SEE ALSO", ".BR asyncbatch (1)"]
    return page("libasyncbatch", 3, known, "Library Functions", out)
