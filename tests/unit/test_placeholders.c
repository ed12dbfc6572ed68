#include "adapters/placeholders.h"

#include "engine/base/buf.h"
#include "engine/base/rng.h"
#include "engine/base/utf8.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

struct sample {
    const char *source, *target;
    const char *fault; /* NULL: they agree */
};

static bool agree(struct asbi_comparer *c, asbi_str source, asbi_str target,
                  char *why, size_t size)
{
    struct asbi_note note;

    asbi_note_init(&note, why, size);
    return asbi_comparer_agree(c, source, target, &note);
}

static void try_sample(struct asbi_comparer *c, const struct sample *s)
{
    char why[192];
    bool agreed = agree(c, asbi_str_c(s->source), asbi_str_c(s->target), why,
                        sizeof(why));

    if (agreed != !s->fault)
        check_fail(s->source, 0, "-> %s: agreed %d, because \"%s\"", s->target,
                   agreed, why);
    if (s->fault && strcmp(why, s->fault) != 0)
        check_fail(s->source, 0, "-> %s:\n  says \"%s\"\n  not  \"%s\"",
                   s->target, why, s->fault);
    if (agreed)
        CHECK_BYTES(why, strlen(why), "");
}

static void try_all(const struct sample *samples, size_t count)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);

    CHECK(c);
    for (size_t i = 0; i < count; i++)
        try_sample(c, &samples[i]);
    asbi_comparer_free(&asbi_mem_system, c);
}

#define TRY_ALL(samples) \
    try_all(samples, sizeof(samples) / sizeof((samples)[0]))

static const struct sample frozen[] = {
    { "获得⟦PH_1⟧金币", "Получено ⟦PH_1⟧ золота", NULL },
    { "⟦PH_1⟧⟦PH_2⟧", "⟦PH_2⟧ ⟦PH_1⟧", NULL },
    { "⟦TAG_3⟧攻击⟦TAG_4⟧", "⟦TAG_3⟧Атака⟦TAG_4⟧", NULL },
    { "⟦PH_1⟧和⟦PH_2⟧", "⟦PH_1⟧ и", "missing ⟦PH_2⟧" },
    { "⟦PH_1⟧", "⟦PH_1⟧ ⟦PH_1⟧", "unexpected ⟦PH_1⟧ (2 instead of 1)" },
    { "⟦PH_1⟧⟦PH_1⟧", "⟦PH_1⟧", "missing ⟦PH_1⟧ (1 instead of 2)" },
    { "⟦PH_12⟧", "⟦PH_21⟧", "missing ⟦PH_12⟧, unexpected ⟦PH_21⟧" },
    { "⟦PH_1⟧", "[PH_1]", "missing ⟦PH_1⟧, unexpected [PH_1]" },
    { "⟦PH_1⟧", "⟦ PH_1 ⟧", "missing ⟦PH_1⟧, unexpected ⟦ PH_1 ⟧" },
    { "⟦PH_1⟧", "⟦PH_1", "missing ⟦PH_1⟧" },
    { "⟦未闭合", "⟦незакрыто", NULL },
};

static void frozen_placeholders_survive_as_often(void)
{
    TRY_ALL(frozen);
}

static const struct sample braces[] = {
    { "你好，{name}！", "Привет, {name}!", NULL },
    { "你好，{name}！", "Привет, {nmae}!",
      "missing {name}, unexpected {nmae}" },
    { "你好，{name}！", "Привет!", "missing {name}" },
    { "{0}击败了{1}", "{1} побеждён игроком {0}", NULL },
    { "{0}击败了{1}", "{0} победил {2}", "missing {1}, unexpected {2}" },
    { "{0:N2}元", "{0:N2} ₽", NULL },
    { "{0:N2}元", "{0:N0} ₽", "missing {0:N2}, unexpected {0:N0}" },
    { "{0,-10:F2}", "{0, -10:F2}", NULL },
    { "{} von {}", "{} of {}", NULL },
    { "{} von {}", "{} of", "missing {} (1 instead of 2)" },
    { "{玩家名}获得了{物品}", "{玩家名} получает {物品}", NULL },
    { "{玩家名}胜利", "Победа {игрок}",
      "missing {玩家名}, unexpected {игрок}" },
    { "{player.name} 等级 {player.level}",
      "{player.name}, уровень {player.level}", NULL },
    { "Hi {{user}}", "Hallo {{user}}", NULL },
    { "Hi {{user}}", "Hallo {user}", "missing {{user}}, unexpected {user}" },
    { "Hi {{ user.name | upper }}", "Hallo {{ user.name | upper }}", NULL },
    { "{{#if vip}}VIP{{/if}}", "{{#if vip}}ВИП{{/if}}", NULL },
    { "{{#if vip}}VIP{{/if}}", "{{#if vip}}ВИП", "missing {{/if}}" },
    { "{{PLURAL:$1|page|pages}}", "{{PLURAL:$1|Seite|Seiten}}", NULL },
    { "{{count}}个{{item}}", "{{item}}: {{count}}", NULL },
    { "Cost: ${price}", "Kosten: ${price}", NULL },
    { "Cost: ${price}", "Kosten: $ {price}",
      "missing ${price}, unexpected {price}" },
    { "%{count} Punkte", "%{count} points", NULL },
    { "%{count} Punkte", "% {count} points",
      "missing %{count}, unexpected {count}" },
    { "{ $userName } hat dich eingeladen", "{ $userName } invited you", NULL },
    { "{ -brand-name } starten", "Start { -brand-name }", NULL },
    { "{color=#ff0000}危险{/color}", "{color=#ff0000}Опасно{/color}", NULL },
    { "{color=#ff0000}危险{/color}", "{color=#ff0000}Опасно",
      "missing {/color}" },
    { "{b}粗体{/b}{w=1.0}", "{b}жирный{/b}{w=1.0}", NULL },
    { "{price, number, ::currency/USD}", "{price,number,::currency/USD}",
      NULL },
    { "{when, date, short}", "{when, date, short} Uhr", NULL },
    { "{when, date, short}", "Uhr", "missing {when, date, short}" },
    { "$PLAYER_NAME$ 来了", "$PLAYER_NAME$ пришёл", NULL },
    { "$PLAYER_NAME$ 来了", "$ИГРОК$ пришёл", "missing $PLAYER_NAME$" },
    /* no placeholders */
    { "一个孤立的 { 符号", "одиночный знак {", NULL },
    { "一个孤立的 { 符号", "одиночный знак", NULL },
    { "}{", "", NULL },
    { "{ }", "", NULL },
    { "Sätze wie {hier steht etwas} sind Text",
      "Sentences like {something is written here} are text", NULL },
    { "Menge {a, b, c}", "set {x, y, z}", NULL },
    { "{注意，危险}", "{Внимание, опасно}", NULL },
    { "costs $5 or $10", "kostet 5 $ oder 10 $", NULL },
    { "US$ und $", "доллары", NULL },
    { ":-{ and :-}", ":-)", NULL },
};

static void variables_in_braces_survive(void)
{
    TRY_ALL(braces);
}

static const struct sample formats[] = {
    { "剩余%d秒", "Осталось %d с", NULL },
    { "剩余%d秒", "Осталось", "missing %d" },
    { "剩余%d秒", "%ds left", NULL },
    { "%ds left", "Осталось", "missing %d" },
    { "%s attacks %s", "%s greift %s an", NULL },
    { "%s attacks %s", "%s greift an", "missing %s (1 instead of 2)" },
    { "%1$s attacks %2$s", "%2$s wird von %1$s angegriffen", NULL },
    { "%1$s attacks %2$s", "%1$s greift %1$s an",
      "unexpected %1$s (2 instead of 1), missing %2$s" },
    { "%-5.2f kg", "%-5.2f кг", NULL },
    { "%-5.2f kg", "%.2f кг", "missing %-5.2f, unexpected %.2f" },
    { "%.1f%%", "%.1f %%", NULL },
    { "%.1f%%", "%.1f %", "missing %%" },
    { "%lu файлов", "%lu files", NULL },
    { "%lld Bytes", "%lld bytes", NULL },
    { "%zu von %u", "%zu of %u", NULL },
    { "%@ sent %ld items", "%@ hat %ld Dinge gesendet", NULL },
    { "%1$@ sent %2$ld", "%2$ld von %1$@", NULL },
    { "%1$@ sent %2$ld", "%2$ld", "missing %1$@" },
    { "%05d", "%05d", NULL },
    { "%05d", "%5d", "missing %05d" },
    { "%+d防御", "%+d к защите", NULL },
    { "0x%08X", "0x%08X", NULL },
    { "%c键", "клавиша %c", NULL },
    { "%*d", "%*d", NULL },
    { "%(count)d files", "%(count)d Dateien", NULL },
    { "%(count)d files", "%(anzahl)d Dateien",
      "missing %(count)d, unexpected %(anzahl)d" },
    { "%player% greets %npc.name%", "%npc.name% — %player%", NULL },
    { "%player% greets", "%spieler% grüßt",
      "missing %player%, unexpected %spieler%" },
    { "%dx%d", "%d×%d", NULL },
    { "%dx%d", "%d", "missing %d (1 instead of 2)" },
    { "%d/%d", "%d из %d", NULL },
    { "%dmin%dsec", "%dмин%dсек", NULL },
    { "%dm%ds", "%d мин %d с", NULL },
    { "第%1页，共%2页", "Страница %1 из %2", NULL },
    { "第%1页，共%2页", "Страница %1", "missing %2" },
    { "%L1 файлов", "%L1 files", NULL },
    { "%n file(s)", "%n Datei(en)", NULL },
    { "%n file(s)", "Datei(en)", "missing %n" },
    { "+%d%攻击", "+%d% attack", NULL },
    { "+%d%攻击", "+%d%damage", NULL },
    { "伤害+{0}%", "{0}%damage", NULL },
    /* percent signs of prose */
    { "100%", "100 %", NULL },
    { "提高50%的攻击力", "Повышает атаку на 50%", NULL },
    { "50 % discount", "Скидка 50 %", NULL },
    { "50 %discount", "Скидка 50 %", NULL },
    { "5% discount", "5% de descuento", NULL },
    { "5%discount", "5 % Rabatt", NULL },
    { "5 % d'escompte", "5 % discount", NULL },
    { "折扣5%", "5%discount", NULL },
    { "100% sure", "100%ig sicher", NULL },
    { "50% off", "%50 indirim", NULL },
    { "50% off", "%50e varan indirim", NULL },
    { "%5 indirim", "5% discount", NULL },
    { "5%~10%", "5% – 10%", NULL },
    { "％d", "％d", NULL },
    { "暴击率 % 显示", "Шанс крита в %", NULL },
    { "%", "%", NULL },
    { "100%. Super!", "100 %. Super!", NULL },
    { "完成度：%.", "Готово: %.", NULL },
};

static void conversions_survive_and_percentages_are_prose(void)
{
    TRY_ALL(formats);
}

static const struct sample tags[] = {
    { "<b>重要</b>", "<b>Важно</b>", NULL },
    { "<b>重要</b>", "<b>Важно<b>",
      "unexpected <b> (2 instead of 1), missing </b>" },
    { "<b>重要</b>", "Важно", "missing <b>, missing </b>" },
    { "<color=#ff0000>红色</color>", "<color=#ff0000>красный</color>", NULL },
    { "<color=#ff0000>红色</color>", "<color=#ff00>красный</color>",
      "missing <color=#ff0000>, unexpected <color=#ff00>" },
    { "<color=#ff0000>红色</color>", "<color = #ff0000>красный</color>", NULL },
    { "<color=red>红</color>", "<цвет=красный>к</цвет>",
      "missing <color=red>, missing </color>" },
    { "<#ffaa00>金</color>", "<#ffaa00>золото</color>", NULL },
    { "<size=120%>大</size>", "<size=120%>крупно</size>", NULL },
    { "<sprite=3> 按键", "Клавиша <sprite=3>", NULL },
    { "<sprite name=\"coin\">", "<sprite name=\"coin\">", NULL },
    { "<link=\"shop\">商店</link>", "<link=\"shop\">Магазин</link>", NULL },
    { "<link=\"shop\">商店</link>", "<link=\"магазин\">Магазин</link>",
      "missing <link=\"shop\">, unexpected <link=\"магазин\">" },
    { "一行<br>二行", "строка<br>строка", NULL },
    { "一行<br/>二行", "строка<br />строка", NULL },
    { "一行<br/>二行", "строка строка", "missing <br/>" },
    { "<a href=\"https://x.org/a?b=1\">链接</a>",
      "<a href=\"https://x.org/a?b=1\">ссылка</a>", NULL },
    { "<xliff:g id=\"n\">%d</xliff:g>", "<xliff:g id=\"n\">%d</xliff:g>",
      NULL },
    { "<player> 加入", "<player> вошёл", NULL },
    { "<player> 加入", "<игрок> вошёл", "missing <player>" },
    { "<NAME> joins", "<NAME> tritt bei", NULL },
    { "<NAME> joins", "tritt bei", "missing <NAME>" },
    { "<item_1>", "<item_1>", NULL },
    { "<wave a=1>嗨</wave>", "<wave a=1>Эй</wave>", NULL },
    { "<wave a=1>嗨</wave>", "<wave a=2>Эй</wave>",
      "missing <wave a=1>, unexpected <wave a=2>" },
    { "[b]粗[/b]", "[b]жирный[/b]", NULL },
    { "[b]粗[/b]", "[b]жирный", "missing [/b]" },
    { "[color=red]红[/color]", "[color=red]красный[/color]", NULL },
    { "[url=https://x.org]x[/url]", "[url=https://x.org]икс[/url]", NULL },
    { "[player_name]，你好", "Привет, [player_name]", NULL },
    { "[player_name]，你好", "Привет, [имя]", "missing [player_name]" },
    { "[[MAIN_QUEST]]", "[[MAIN_QUEST]]", NULL },
    { "[[MAIN_QUEST]]", "[[ГЛАВНОЕ]]", "missing [[MAIN_QUEST]]" },
    { "5&nbsp;km", "5 км", NULL },
    { "Tom &amp; Jerry", "Том и Джерри", NULL },
    { "Том и Джерри", "Tom &amp; Jerry", NULL },
    { "don&#39;t", "nicht", NULL },
    { "&lt;b&gt;", "&lt;b&gt;", NULL },
    { "&lt;b&gt;", "<b>", "missing &lt;, missing &gt;, unexpected <b>" },
    /* brackets of prose */
    { "我<3你", "Я <3 тебя", NULL },
    { "我<3你", "Я тебя люблю", NULL },
    { "a < b > c", "a < b, b > c", NULL },
    { "如果 x<5 且 y>3", "если x < 5 и y > 3", NULL },
    { "<返回>", "<Back>", NULL },
    { "<返回>", "<back>", NULL },
    { "<Back>", "<Назад>", NULL },
    { "<Press Start>", "<Нажмите старт>", NULL },
    { "<press start>", "<нажмите старт>", NULL },
    { "《剑》", "«Меч»", NULL },
    { "【警告】", "[Warning]", NULL },
    { "[OK]", "[Готово]", NULL },
    { "[确定]", "[OK]", NULL },
    { "A & B", "A und B", NULL },
    { "R&B; ok", "R&B; ok", NULL },
    { "(>_<)", "(>_<)", NULL },
    { "->", "→", NULL },
};

static void markup_survives_and_brackets_are_prose(void)
{
    TRY_ALL(tags);
}

static const struct sample escapes[] = {
    { "第一行\\n第二行", "Строка 1\\nСтрока 2", NULL },
    { "第一行\\n第二行", "Строка 1\nСтрока 2", "missing \\n" },
    { "第一行\\n第二行", "Строка 1 Строка 2", "missing \\n" },
    { "第一行\n第二行", "Строка 1 Строка 2", NULL },
    { "a\\tb", "а\\tб", NULL },
    { "\\c[2]火\\c[0]", "\\c[2]Огонь\\c[0]", NULL },
    { "\\c[2]火\\c[0]", "\\c[2]Огонь", "missing \\c[0]" },
    { "\\c[2]火\\c[0]", "\\c[1]Огонь\\c[0]",
      "missing \\c[2], unexpected \\c[1]" },
    { "\\N[1]：\\V[12]G", "\\N[1]: \\V[12]G", NULL },
    { "\\N[1]：你好", "\\Н[1]: привет", "missing \\N[1]" },
    { "\\I[64]药水", "\\I[64]Зелье", NULL },
    { "等等\\.\\.\\|", "Подожди\\.\\.\\|", NULL },
    { "等等\\.\\.\\|", "Подожди\\.\\|", "missing \\. (1 instead of 2)" },
    { "\\{大\\}", "\\{Большой\\}", NULL },
    { "\\fn<Arial>字", "\\fn<Arial>буквы", NULL },
    { "\\\\n[1]", "\\\\n[1]", NULL },
    { "他说：\\\"好\\\"", "Он сказал: «хорошо»", NULL },
    { "¯\\_(ツ)_/¯", "¯\\_(ツ)_/¯", NULL },
    { "\\o/", "ура", NULL },
    { "详情见 https://example.com/zh/help?id=1。",
      "Подробнее: https://example.com/zh/help?id=1.", NULL },
    { "详情见 https://example.com/zh/help",
      "Подробнее: https://example.com/ru/help",
      "missing a URL, unexpected a URL" },
    { "（https://example.com）", "(https://example.com)", NULL },
    { "写信给 help@example.com", "Пишите на help@example.com.", NULL },
    { "写信给 help@example.com", "Пишите нам", "missing an e-mail address" },
    { "写信给help@example.com吧", "Пишите: help@example.com", NULL },
    { "5 @ 3", "5 к 3", NULL },
    { "@玩家 来了", "@игрок пришёл", NULL },
    { "https://", "https://", NULL },
    { "时间 12:30", "время 12:30", NULL },
    { "HTTP://EXAMPLE.COM/{id}", "HTTP://EXAMPLE.COM/{id}", NULL },
    { "HTTP://EXAMPLE.COM/{id}", "HTTP://EXAMPLE.COM/{ид}",
      "missing {id}, unexpected {ид}" },
};

static void escapes_and_addresses_survive(void)
{
    TRY_ALL(escapes);
}

#define ITEMS "{n, plural, one {# item} other {# items}}"
static const struct sample icu[] = {
    { ITEMS, ITEMS, NULL },
    { ITEMS, "{n,plural,one{# предмет}few{# предмета}other{# предметов}}",
      NULL },
    { ITEMS, "{n, plural, other {# 个物品}}", NULL },
    { ITEMS, "{n, plural, one {# предмет} few {# предмета}}",
      "missing branch other of {n, plural}" },
    { ITEMS, "{n, plural, other {предметы}}",
      "missing # in branch other of {n, plural}" },
    { ITEMS, "{n, plural, eins {# Ding} other {# Dinge}}",
      "unexpected branch eins of {n, plural}" },
    { ITEMS, "{m, plural, other {# Dinge}}",
      "missing {n, plural}, unexpected {m, plural}" },
    { ITEMS, "{n, plural, other {# Dinge}", "missing {n, plural}" },
    { ITEMS, "# предметов", "missing {n, plural}" },
    { ITEMS, "{n, plural, one {# item} other {# items}} " ITEMS,
      "unexpected {n, plural} (2 instead of 1)" },
    { "{n, plural, one {an item} other {# items}}",
      "{n, plural, one {# предмет} few {# предмета} other {# предметов}}",
      NULL },
    { "{n, plural, =0 {none} other {#}}", "{n, plural, =0 {нет} other {#}}",
      NULL },
    { "{n, plural, =0 {none} other {#}}", "{n, plural, other {#}}",
      "missing branch =0 of {n, plural}" },
    { "{n, plural, one {{who} has one} other {{who} has #}}",
      "{n, plural, one {у {who} #} few {у {who} #} other {у {who} #}}", NULL },
    { "{n, plural, one {{who} has one} other {{who} has #}}",
      "{n, plural, one {у {who} #} few {у кого-то #} other {у {who} #}}",
      "missing {who} in branch few of {n, plural}" },
    { "{n, plural, one {one} other {{count} things}}",
      "{n, plural, one {{count} вещь} other {{count} вещей}}", NULL },
    { "{n, plural, offset:1 one {you and #} other {you and # others}}",
      "{n, plural, offset:1 other {ты и ещё #}}", NULL },
    { "{n, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}",
      "{n, selectordinal, other {#.}}", NULL },
    { "{g, select, male {He} female {She} other {They}} left",
      "{g, select, male {Он ушёл} female {Она ушла} other {Они ушли}}", NULL },
    { "{g, select, male {He} female {She} other {They}}",
      "{g, select, male {Он} other {Они}}",
      "missing branch female of {g, select}" },
    { "{g, select, male {He} female {She} other {They}}",
      "{g, select, мужской {Он} female {Она} male {Он} other {Они}}",
      "unexpected branch мужской of {g, select}" },
    { "{g, select, male {<b>He</b>} other {They}}",
      "{g, select, male {<b>Он</b>} other {Они}}", NULL },
    { "{g, select, male {<b>He</b>} other {They}}",
      "{g, select, male {<b>Он} other {Они}}",
      "missing </b> in branch male of {g, select}" },
    { "{g, select, other {{n, plural, one {# day} other {# days}}}}",
      "{g, select, other {{n, plural, one {# день} few {# дня} other {# дн}}}}",
      NULL },
    { "{g, select, other {{n, plural, one {# day} other {# days}}}}",
      "{g, select, other {{n, plural, one {# день}}}}",
      "missing branch other of {n, plural} in branch other of {g, select}" },
    { "{n, plural, one} {m, plural, other {#}}",
      "{n, plural, one} {m, plural, other {}}",
      "missing # in branch other of {m, plural}" },
    { "{n, plural, other {# '{'}}", "{n, plural, other {'{' #}}", NULL },
    { "{n, plural, other {# '{'}}", "{n, plural, other {'{'}}",
      "missing # in branch other of {n, plural}" },
    { "{n, plural, other {# '{'x'}'}}", "{n, plural, other {'{'x'}' #}}",
      NULL },
    { "{n, plural, other {a} other {b}}", "{n, plural, other {a} other {b}}",
      NULL },
    { "Item #1", "Предмет № 1", NULL },
    { "{n, plural}", "{n, plural}", NULL },
    { "{n, plural, one {", "{n, plural, one {", NULL },
};

static void icu_messages_keep_their_structure(void)
{
    TRY_ALL(icu);
}

static const struct sample mixed[] = {
    { "", "", NULL },
    { "", "что-нибудь", NULL },
    { "开始游戏", "Начать игру", NULL },
    { "", "{name}", "unexpected {name}" },
    { "<b>{name}</b>造成<color=#f00>%d</color>点伤害\\n",
      "<b>{name}</b> наносит <color=#f00>%d</color> урона\\n", NULL },
    { "<b>{name}</b>造成<color=#f00>%d</color>点伤害\\n", "{имя} наносит урон",
      "missing <b>, missing {name}, missing </b>, missing <color=#f00> and "
      "more" },
    { "{player}さんが「%s」を手に入れた！", "{player} получает «%s»!", NULL },
    { "%1$sさん、残り%2$d回です", "%1$s, осталось попыток: %2$d", NULL },
    { "<ruby>漢<rt>かん</rt></ruby>", "<ruby>хань<rt>хань</rt></ruby>", NULL },
    { "حصلت على {count} قطعة ذهبية", "Вы получили {count} золота", NULL },
    { "مرحبا %1$s", "Привет, %1$s", NULL },
    { "你好 😀 {name}", "😀 Привет, {name}", NULL },
    { "Noch %d Züge, <i>Held</i>!", "还剩%d步，<i>英雄</i>！", NULL },
    { "{a}{b}{c}{d}{e}{f}", "",
      "missing {a}, missing {b}, missing {c}, missing {d} and more" },
};

static void game_strings_are_judged_as_a_whole(void)
{
    TRY_ALL(mixed);
}

/* ---- properties --------------------------------------------------------- */

static const struct {
    const struct sample *rows;
    size_t count;
} tables[] = {
#define TABLE(t)                    \
    {                               \
        t, sizeof(t) / sizeof(*(t)) \
    }
    TABLE(frozen),  TABLE(braces), TABLE(formats), TABLE(tags),
    TABLE(escapes), TABLE(icu),    TABLE(mixed),
};

static size_t each_text(void (*visit)(struct asbi_comparer *, const char *))
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    size_t count = 0;

    CHECK(c);
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (size_t i = 0; i < tables[t].count; i++, count += 2) {
            visit(c, tables[t].rows[i].source);
            visit(c, tables[t].rows[i].target);
        }
    }
    asbi_comparer_free(&asbi_mem_system, c);
    return count;
}

static void must_agree(struct asbi_comparer *c, asbi_str source,
                       asbi_str target)
{
    char why[192];

    if (!agree(c, source, target, why, sizeof(why)))
        check_fail(source.at, 0, "-> %.*s: %s", (int)target.len, target.at,
                   why);
}

static void accepts_itself(struct asbi_comparer *c, const char *text)
{
    must_agree(c, asbi_str_c(text), asbi_str_c(text));
}

static void any_text_agrees_with_itself(void)
{
    CHECK_INT(each_text(accepts_itself), >=, 2 * 150);
}

/* Accented letters for letters, Latin for ideographs. */
static void put_pseudo(struct asbi_buf *out, asbi_str piece)
{
    const char *at = piece.at, *end = piece.at + piece.len;

    while (at < end) {
        const char *from = at;
        uint32_t c = asbi_utf8_next(&at, end);

        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            asbi_buf_c(out, "é");
        else if (c >= 0x3041 && c < 0xff00)
            asbi_buf_c(out, "çá");
        else
            asbi_buf_add(out, from, (size_t)(at - from));
    }
}

static void accepts_pseudo(struct asbi_comparer *c, const char *text)
{
    struct asbi_walk walk;
    struct asbi_buf out;
    asbi_str piece;
    bool is_mark;

    asbi_buf_init(&out, &asbi_mem_system, 65536);
    asbi_walk_begin(&walk, asbi_str_c(text));
    while (asbi_walk_next(&walk, &piece, &is_mark)) {
        if (is_mark)
            asbi_buf_str(&out, piece);
        else
            put_pseudo(&out, piece);
    }
    must_agree(c, asbi_str_c(text), asbi_buf_view(&out));
    asbi_buf_fini(&out);
}

static void pseudo_localised_text_is_accepted(void)
{
    each_text(accepts_pseudo);
}

/* `text` with the bytes of `mark` `times` times in their place. */
static void repeat_mark(struct asbi_buf *out, asbi_str text, asbi_str mark,
                        unsigned times)
{
    const char *behind = mark.at + mark.len;

    asbi_buf_clear(out);
    asbi_buf_add(out, text.at, (size_t)(mark.at - text.at));
    for (unsigned i = 0; i < times; i++) {
        asbi_buf_str(out, mark);
        asbi_buf_c(out, " ");
    }
    asbi_buf_add(out, behind, (size_t)(text.at + text.len - behind));
}

static void refuses_changes(struct asbi_comparer *c, const char *text)
{
    struct asbi_marks marks;
    struct asbi_mark mark;
    struct asbi_buf out;
    char why[192];
    asbi_str source = asbi_str_c(text);

    if (strstr(text, "%d%d")) /* without the first, the second is one */
        return;
    asbi_buf_init(&out, &asbi_mem_system, 65536);
    asbi_marks_begin(&marks, source, ASBI_HASH_IS_TEXT);
    while (asbi_marks_next(&marks, &mark)) {
        if (!mark.may_vanish && mark.ordinal < 2) {
            repeat_mark(&out, source, mark.text, 0);
            if (agree(c, source, asbi_buf_view(&out), why, sizeof(why)))
                check_fail(text, 0, "%.*s was dropped unseen",
                           (int)mark.text.len, mark.text.at);
        }
        if (!mark.may_appear) {
            repeat_mark(&out, source, mark.text, 2);
            if (agree(c, source, asbi_buf_view(&out), why, sizeof(why)))
                check_fail(text, 0, "%.*s was doubled unseen",
                           (int)mark.text.len, mark.text.at);
        }
    }
    asbi_buf_fini(&out);
}

static void a_dropped_or_doubled_mark_is_refused(void)
{
    each_text(refuses_changes);
}

static void pieces_put_together(struct asbi_comparer *c, const char *text)
{
    struct asbi_walk walk;
    const char *at = text;
    asbi_str piece;
    bool is_mark, was_text = false;

    (void)c;
    asbi_walk_begin(&walk, asbi_str_c(text));
    while (asbi_walk_next(&walk, &piece, &is_mark)) {
        CHECK(piece.at == at);
        CHECK(piece.len > 0);
        CHECK(is_mark || !was_text);
        was_text = !is_mark;
        at += piece.len;
    }
    CHECK_INT(at - text, ==, strlen(text));
}

static void the_pieces_of_a_walk_are_the_text(void)
{
    each_text(pieces_put_together);
}

static void a_walk_goes_into_icu_branches(void)
{
    static const char *const want[] = {
        "A ", "{n, plural, one {", "#", " cat", "} other {", "#", " cats", "}}",
    };
    struct asbi_walk walk;
    asbi_str piece;
    bool is_mark;
    size_t i = 0;

    asbi_walk_begin(&walk,
                    ASBI_STR("A {n, plural, one {# cat} other {# cats}}"));
    while (asbi_walk_next(&walk, &piece, &is_mark)) {
        CHECK_STR(piece, want[i]);
        CHECK_INT(is_mark, ==, i != 0 && i != 3 && i != 6);
        i++;
    }
    CHECK_INT(i, ==, 8);
}

/* ---- hostile texts ------------------------------------------------------ */

static void random_bytes_do_no_harm(void)
{
    static const char *const parts[] = {
        "{",      "}",     "%", "<",       ">",    "\\", "⟦",
        "⟧",      "#",     "a", "1",       "$",    ",",  " ",
        "plural", "other", "@", "http://", ".",    "[",  "]",
        "&",      ";",     "/", "'",       "\xff", "火", "{n, plural, other {",
    };
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    struct asbi_rng rng;
    struct asbi_buf text;

    CHECK(c);
    asbi_rng_seed(&rng, 7);
    asbi_buf_init(&text, &asbi_mem_system, 65536);
    for (int round = 0; round < 20000; round++) {
        asbi_buf_clear(&text);
        for (uint64_t n = asbi_rng_below(&rng, 40); n > 0; n--)
            asbi_buf_c(
                &text,
                parts[asbi_rng_below(&rng, sizeof(parts) / sizeof(parts[0]))]);
        asbi_buf_char(&text, (char)asbi_rng_u64(&rng));
        must_agree(c, asbi_buf_view(&text), asbi_buf_view(&text));
        asbi_buf_char(&text, '\0');
        pieces_put_together(c, text.data);
    }
    asbi_buf_fini(&text);
    asbi_comparer_free(&asbi_mem_system, c);
}

static void fill(struct asbi_buf *out, const char *unit, size_t bytes)
{
    asbi_buf_init(out, &asbi_mem_system, bytes + 64);
    while (out->len < bytes)
        asbi_buf_c(out, unit);
}

/* Would take minutes if anything were quadratic. */
static void hostile_texts_cost_linear_time(void)
{
    static const char *const units[] = {
        "{",
        "{n, plural, other {",
        "%1",
        "<a",
        "⟦",
        "a@",
        "\\",
        "[b",
        "&a",
        "{a",
        "{{",
        "$a",
        "{n,plural,a{}b{}",
        "{n,plural,other{#}}",
        "%",
    };
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);

    CHECK(c);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        struct asbi_buf text;
        char why[192];

        fill(&text, units[i], 1 << 18);
        (void)agree(c, asbi_buf_view(&text), asbi_buf_view(&text), why,
                    sizeof(why));
        asbi_buf_fini(&text);
    }
    asbi_comparer_free(&asbi_mem_system, c);
}

/* Small branches, each held against a large one, and again inside. */
static void put_plural(struct asbi_buf *out, char name, asbi_str branch,
                       asbi_str other, unsigned branches)
{
    asbi_buf_fmt(out, "{%c,plural,", name);
    for (unsigned i = 0; i < branches; i++) {
        asbi_buf_fmt(out, "=%u{", i);
        asbi_buf_str(out, branch);
        asbi_buf_c(out, "}");
    }
    asbi_buf_c(out, "other{");
    asbi_buf_str(out, other);
    asbi_buf_c(out, "}}");
}

static void work_on_nested_messages_is_bounded(void)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    struct asbi_buf large, source, target, inner, nested;
    asbi_str none = ASBI_STR("");
    char why[192];

    CHECK(c);
    fill(&large, "a", 7900);
    fill(&nested, "", 0);
    fill(&source, "", 0);
    fill(&inner, "", 0);
    fill(&target, "", 0);
    nested.max = source.max = inner.max = target.max = 65536;
    put_plural(&nested, 'm', none, asbi_buf_view(&large), 0);
    put_plural(&source, 'n', none, asbi_buf_view(&nested), 0);
    put_plural(&inner, 'm', none, none, 30);
    put_plural(&target, 'n', asbi_buf_view(&inner), asbi_buf_view(&inner), 30);
    CHECK(!agree(c, asbi_buf_view(&source), asbi_buf_view(&target), why,
                 sizeof(why)));
    CHECK(strstr(why, "nested too deeply"));
    asbi_buf_fini(&large);
    asbi_buf_fini(&nested);
    asbi_buf_fini(&source);
    asbi_buf_fini(&inner);
    asbi_buf_fini(&target);
    asbi_comparer_free(&asbi_mem_system, c);
}

static void a_hundred_icu_messages_in_a_text_are_seen(void)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    struct asbi_buf text;
    char why[192];

    CHECK(c);
    fill(&text, "{n, plural, other {#}} ", 100 * 23);
    asbi_str whole = asbi_buf_view(&text);
    CHECK(agree(c, whole, whole, why, sizeof(why)));
    CHECK(!agree(c, whole, asbi_str_of(whole.at, 99 * 23), why, sizeof(why)));
    CHECK_BYTES(why, strlen(why), "missing {n, plural} (99 instead of 100)");
    asbi_buf_fini(&text);
    asbi_comparer_free(&asbi_mem_system, c);
}

static void very_many_placeholders_are_counted(void)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    struct asbi_buf text;
    char why[192];

    CHECK(c);
    asbi_buf_init(&text, &asbi_mem_system, 1 << 20);
    for (unsigned i = 0; i < 2000; i++)
        asbi_buf_fmt(&text, "{v%u} ", i);
    asbi_str whole = asbi_buf_view(&text);
    CHECK(agree(c, whole, whole, why, sizeof(why)));
    CHECK(!agree(c, whole, asbi_str_of(whole.at, whole.len - 8), why,
                 sizeof(why)));
    CHECK_BYTES(why, strlen(why),
                "missing one of very many placeholders (1744 instead of "
                "1745)");
    asbi_buf_fini(&text);
    asbi_comparer_free(&asbi_mem_system, c);
}

static void long_names_are_cut_between_code_points(void)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    char why[192], tiny[16];

    CHECK(c);
    CHECK(!agree(c,
                 ASBI_STR("{aаааааааааааааааааааааааааааааааааааааааааааааа}"),
                 ASBI_STR(""), why, sizeof(why)));
    CHECK_BYTES(why, strlen(why), "missing {aааааааааааааааааааааааа...");
    CHECK(
        !agree(c, ASBI_STR("{аааааааааа}"), ASBI_STR(""), tiny, sizeof(tiny)));
    CHECK_BYTES(tiny, strlen(tiny), "missing {а...");
    asbi_comparer_free(&asbi_mem_system, c);
}

static void no_memory_gives_no_comparer(void)
{
    struct fault_mem fm;

    fault_mem_init(&fm, 1);
    CHECK(!asbi_comparer_new(&fm.mem));
    CHECK_INT(fm.live, ==, 0);
}

TEST_MAIN(CASE(frozen_placeholders_survive_as_often),
          CASE(variables_in_braces_survive),
          CASE(conversions_survive_and_percentages_are_prose),
          CASE(markup_survives_and_brackets_are_prose),
          CASE(escapes_and_addresses_survive),
          CASE(icu_messages_keep_their_structure),
          CASE(game_strings_are_judged_as_a_whole),
          CASE(any_text_agrees_with_itself),
          CASE(pseudo_localised_text_is_accepted),
          CASE(a_dropped_or_doubled_mark_is_refused),
          CASE(the_pieces_of_a_walk_are_the_text),
          CASE(a_walk_goes_into_icu_branches), CASE(random_bytes_do_no_harm),
          CASE(hostile_texts_cost_linear_time),
          CASE(work_on_nested_messages_is_bounded),
          CASE(a_hundred_icu_messages_in_a_text_are_seen),
          CASE(very_many_placeholders_are_counted),
          CASE(long_names_are_cut_between_code_points),
          CASE(no_memory_gives_no_comparer))
