"""What manual and completions both want to know of a row of the table."""


def dashed(name, prefix=None):
    if prefix and name.startswith(prefix):
        name = name[len(prefix):]
    return name.replace("_", "-")


def is_switch(option):
    return option["argument"] is None


def is_on(option):
    """A switch that is on unless it is said otherwise."""
    return is_switch(option) and option["fallback"] == "true"


def default_of(option):
    """"" where there is none, or none worth telling."""
    return "" if is_switch(option) else option["fallback"]


def switch_forms(option, prefix=None):
    name = dashed(option["name"], prefix)
    return [f"--{name}", f"--no-{name}"] if is_on(option) else [f"--{name}"]


def choices(option):
    """The words of an argument such as input|completion."""
    argument = option["argument"] or ""
    words = argument.split("|")
    return words if len(words) > 1 and argument == argument.lower() else []


def wants_file(option):
    return option["argument"] in ("FILE", "PATH")


def options_of(known, command):
    """(option, prefix that its name loses) of a command."""
    by_name = {o["name"]: o for o in known["options"]}
    for option in command["own"]:
        yield option, None
    own = {o["name"] for o in command["own"]}
    for name in command["takes"]:
        if dashed(name, command["prefix"]).replace("-", "_") not in own:
            yield by_name[name], command["prefix"]


def words_of(command):
    """The first words that its usage names: stats|export in "cache stats|..."."""
    words = []
    for line in command["usage"].split("\n"):
        line = line.strip()
        line = line[len("asyncbatch "):] if line.startswith("asyncbatch ") else line
        second = line.split()[1:2]
        if second and second[0].replace("|", "").isalpha() and \
                second[0] == second[0].lower():
            words += second[0].split("|")
    return words


def groups(options):
    """(group, its options), in the order of the table."""
    order = []
    found = {}
    for option in options:
        if option["group"] not in found:
            order.append(option["group"])
            found[option["group"]] = []
        found[option["group"]].append(option)
    return [(group, found[group]) for group in order]
