#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "scheduler/tokens.h"

#include <math.h>

/* Exact counts by the public vocabularies o200k_base and cl100k_base.
 * clang-format would break the texts elsewhere. */
/* clang-format off */
static const struct sample {
    const char *name;
    double o200k, cl100k;
    const char *text;
} samples[] = {
    { "English", 24, 24,
      "Your changes could not be saved because the disk is "
      "full. Free some space and try again, or choose another "
      "folder." },
    { "German", 23, 30,
      "Die Änderungen konnten nicht gespeichert werden, weil "
      "der Datenträger voll ist. Bitte wählen Sie einen "
      "anderen Ordner." },
    { "French", 26, 34,
      "Vos modifications n'ont pas pu être enregistrées car "
      "le disque est plein. Libérez de l'espace ou choisissez "
      "un autre dossier." },
    { "Spanish", 22, 25,
      "No se han podido guardar los cambios porque el disco "
      "está lleno. Libere espacio o elija otra carpeta." },
    { "Italian", 26, 29,
      "Non è stato possibile salvare le modifiche perché il "
      "disco è pieno. Libera spazio o scegli un'altra "
      "cartella." },
    { "Portuguese", 20, 23,
      "Não foi possível salvar as alterações porque o disco "
      "está cheio. Libere espaço ou escolha outra pasta." },
    { "Polish", 27, 37,
      "Nie można było zapisać zmian, ponieważ dysk jest "
      "pełny. Zwolnij trochę miejsca albo wybierz inny folder." },
    { "Czech", 32, 41,
      "Změny se nepodařilo uložit, protože disk je plný. "
      "Uvolněte místo nebo vyberte jinou složku." },
    { "Hungarian", 36, 42,
      "A módosításokat nem sikerült menteni, mert a lemez "
      "megtelt. Szabadítson fel helyet, vagy válasszon másik "
      "mappát." },
    { "Turkish", 28, 35,
      "Disk dolu olduğu için değişiklikleriniz kaydedilemedi. "
      "Biraz yer açın ya da başka bir klasör seçin." },
    { "Vietnamese", 27, 48,
      "Không thể lưu các thay đổi vì ổ đĩa đã đầy. Hãy giải "
      "phóng dung lượng hoặc chọn thư mục khác." },
    { "Russian", 24, 36,
      "Не удалось сохранить изменения, так как диск "
      "переполнен. Освободите место или выберите другую папку." },
    { "Ukrainian", 35, 55,
      "Не вдалося зберегти зміни, оскільки диск заповнено. "
      "Звільніть місце або виберіть іншу теку." },
    { "Greek", 34, 87,
      "Δεν ήταν δυνατή η αποθήκευση των αλλαγών επειδή ο "
      "δίσκος είναι γεμάτος. Επιλέξτε άλλον φάκελο." },
    { "Hebrew", 31, 77,
      "לא ניתן היה לשמור את השינויים כי הכונן מלא. פנו מקום "
      "ונסו שוב, או בחרו תיקייה אחרת." },
    { "Arabic", 29, 66,
      "تعذر حفظ التغييرات لأن القرص ممتلئ. حرر بعض المساحة ثم "
      "حاول مرة أخرى أو اختر مجلدا آخر." },
    { "Persian", 29, 67,
      "ذخیره‌ی تغییرات ممکن نشد چون دیسک پر است. کمی فضا آزاد "
      "کنید یا پوشه‌ی دیگری انتخاب کنید." },
    { "Hindi", 31, 100,
      "डिस्क भरी होने के कारण आपके बदलाव सहेजे नहीं जा सके। "
      "कुछ जगह खाली करें या कोई दूसरा फ़ोल्डर चुनें।" },
    { "Bengali", 37, 129,
      "ডিস্ক পূর্ণ থাকায় আপনার পরিবর্তনগুলি সংরক্ষণ করা "
      "যায়নি। কিছু জায়গা খালি করুন অথবা অন্য ফোল্ডার বেছে "
      "নিন।" },
    { "Thai", 36, 83,
      "ไม่สามารถบันทึกการเปลี่ยนแปลงได้เนื่องจากดิสก์เต็ม "
      "กรุณาเพิ่มพื้นที่ว่างหรือเลือกโฟลเดอร์อื่น" },
    { "Georgian", 37, 189,
      "ცვლილებების შენახვა ვერ მოხერხდა, რადგან დისკი სავსეა. "
      "გაათავისუფლეთ ადგილი ან აირჩიეთ სხვა საქაღალდე." },
    { "Chinese", 25, 36,
      "磁盘已满，无法保存您的更改。请释放一些空间后重试，或者选择其他文件夹。" },
    { "Japanese", 29, 48,
      "ディスクの空き容量が不足しているため、変更を保存できませんでした。別のフォルダーを選択してください。" },
    { "Korean", 26, 40,
      "디스크가 가득 차서 변경 내용을 저장할 수 없습니다. 공간을 확보하거나 다른 폴더를 선택하세요." },
    { "C code", 53, 53,
      "static int add(struct list *l, void *item)\n{\n    if "
      "(l->count == l->cap && grow(l) != 0)\n        return "
      "-1;\n    l->items[l->count++] = item;\n    return "
      "0;\n}\n" },
    { "JSON", 46, 45,
      "{\"id\": \"a7\", \"text\": \"Save as\", "
      "\"max_length\": 24, \"tags\": [\"menu\", \"file\"], "
      "\"placeholders\": {\"name\": \"%s\", \"count\": 3}}" },
    { "emoji", 24, 36,
      "🎉🚀 👍🏽 ❤️ 😂😂 🇫🇷 👩‍💻 ✅ 🔥 🌍" },
};
/* clang-format on */

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static double exact(const struct sample *s, enum asbi_vocabulary v)
{
    return v == ASBI_O200K ? s->o200k : s->cl100k;
}

static double error_of(const struct sample *s, enum asbi_vocabulary v)
{
    double e = asbi_tokens_estimate(v, asbi_str_c(s->text)) / exact(s, v) - 1;

    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr, "%-12s %s %+5.1f %%\n", s->name,
                      v == ASBI_O200K ? "o200k " : "cl100k", 100 * e);
    return fabs(e);
}

static void check_mean_error(enum asbi_vocabulary v)
{
    double sum = 0;

    for (size_t i = 0; i < SAMPLES; i++) {
        double e = error_of(&samples[i], v);

        if (e > 0.45)
            check_fail(__FILE__, __LINE__, "%s is off by %.0f %%",
                       samples[i].name, 100 * e);
        sum += e;
    }
    CHECK(sum / SAMPLES <= 0.15);
}

static void estimates_are_within_15_percent_on_average(void)
{
    check_mean_error(ASBI_O200K);
    check_mean_error(ASBI_CL100K);
}

static void a_whole_is_the_sum_of_its_parts(void)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        asbi_str text = asbi_str_c(samples[i].text);
        double whole = asbi_tokens_estimate(ASBI_O200K, text);

        for (size_t cut = 0; cut <= text.len; cut++) {
            if (cut < text.len && (text.at[cut] & 0xc0) == 0x80)
                continue;
            asbi_str a = { text.at, cut };
            asbi_str b = { text.at + cut, text.len - cut };
            double parts = asbi_tokens_estimate(ASBI_O200K, a) +
                           asbi_tokens_estimate(ASBI_O200K, b);
            CHECK(fabs(parts - whole) < 1e-9);
        }
    }
}

static double of(const char *text)
{
    return asbi_tokens_estimate(ASBI_CL100K, asbi_str_c(text));
}

/* The weights, class by class. */
static void each_script_has_its_own_weight(void)
{
    static const struct {
        const char *text;
        double o200k, cl100k;
    } rows[] = {
        { "x", .216, .224 },
        { "Q", .216, .224 },
        { "7", .99, .87 },
        { " ", .02, .18 },
        { "\t", .02, .18 },
        { "\n", .32, .30 },
        { "%", 1.00, .98 },
        { "\u00e9", 1.01, 1.54 },
        { "\u1ebf", 1.01, 1.54 }, /* Vietnamese */
        { "\u03b1", .41, 1.04 },
        { "\u0436", .32, .51 },
        { "\u05e9", .46, 1.15 },
        { "\u0634", .38, .82 },
        { "\u0915", .41, 1.22 },
        { "\u0e01", .47, .95 }, /* Thai */
        { "\u10d0", .42, 2.1 }, /* Georgian */
        { "\u304b", .62, .90 },
        { "\uac00", .71, 1.12 },
        { "\u4e2d", .78, 1.09 },
        { "\U00020000", .78, 1.09 },
        { "\U0001f600", 1.6, 2.6 },
        { "\u2705", 1.6, 2.6 },
        { "\u00ab", 1.00, .98 },
        { "\u3002", 1.00, .98 },
        { "\u20ac", 1.00, .98 },
        { "\u13a0", 1.02, 1.30 }, /* Cherokee: other */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        asbi_str s = asbi_str_c(rows[i].text);

        CHECK(fabs(asbi_tokens_estimate(ASBI_O200K, s) - rows[i].o200k) < 1e-9);
        CHECK(fabs(of(rows[i].text) - rows[i].cl100k) < 1e-9);
    }
    CHECK(of("") <= 0);
    CHECK(asbi_tokens_estimate(ASBI_O200K, (asbi_str){ NULL, 0 }) <= 0);
}

/* Longer than what fits into a byte of the packed counters. */
static void long_runs_of_one_class_are_counted_in_full(void)
{
    static char text[100003];

    memset(text, 'a', sizeof(text));
    for (size_t len = sizeof(text) - 600; len <= sizeof(text); len++) {
        asbi_str s = { text, len };
        double want = 0.216 * (double)len;

        CHECK(fabs(asbi_tokens_estimate(ASBI_O200K, s) - want) < 1e-6);
    }
}

/* Long runs of ASCII are counted by other means than single characters. */
static void a_text_counts_as_its_characters_do(void)
{
    static const char *const chars[] = {
        "a", "Z", "7", " ", "\t", "\n", "@", "`", "{", "\r", "\u00e9", "\x1f"
    };
    struct asbi_rng r;

    asbi_rng_seed(&r, 2);
    for (int run = 0; run < 2000; run++) {
        char text[400] = "";
        size_t len = 0;
        double want = 0;

        for (size_t n = asbi_rng_below(&r, 180); n > 0; n--) {
            const char *c = chars[asbi_rng_below(&r, run % 3 ? 10 : 12)];

            want += of(c);
            memcpy(text + len, c, strlen(c));
            len += strlen(c);
        }
        double whole =
            asbi_tokens_estimate(ASBI_CL100K, asbi_str_of(text, len));
        CHECK(fabs(whole - want) < 1e-6);
    }
}

static void malformed_bytes_count_as_other_each(void)
{
    CHECK(fabs(of("\xff") - 1.30) < 1e-9);
    CHECK(fabs(of("\x80\x80\x80") - 3 * 1.30) < 1e-9);
    CHECK(fabs(of("\xe4\xb8") - 2 * 1.30) < 1e-9); /* cut short */
    CHECK(fabs(of("\xc3x") - 1.30 - .224) < 1e-9);
}

static void any_bytes_give_a_bounded_estimate(void)
{
    struct asbi_rng r;

    asbi_rng_seed(&r, 1);
    for (int run = 0; run < 20000; run++) {
        /* On the heap, so that a read past the end is seen. */
        size_t len = asbi_rng_below(&r, 40);
        char *text = malloc(len ? len : 1);

        CHECK(text != NULL);
        for (size_t i = 0; i < len; i++)
            text[i] = (char)(asbi_rng_below(&r, 3) ? asbi_rng_u64(&r) | 0x80
                                                   : asbi_rng_u64(&r));
        double e = asbi_tokens_estimate(ASBI_CL100K, (asbi_str){ text, len });
        CHECK(e >= 0.17 * (double)len / 4 && e <= 2.6 * (double)len);
        free(text);
    }
}

static void vocabularies_have_their_usual_names(void)
{
    enum asbi_vocabulary v = ASBI_O200K;

    CHECK(asbi_vocabulary_find("cl100k_base", &v) && v == ASBI_CL100K);
    CHECK(asbi_vocabulary_find("o200k", &v) && v == ASBI_O200K);
    CHECK(!asbi_vocabulary_find("p50k", &v) && v == ASBI_O200K);
    CHECK(!asbi_vocabulary_find(NULL, &v));
}

/* ---- calibration ------------------------------------------------------- */

static double learned_after(struct asbi_calibration *c, struct asbi_rng *r,
                            int calls, double truth)
{
    double worst = 0;

    for (int i = 0; i < calls; i++) {
        double raw = 500 + 1000 * asbi_rng_unit(r);
        double billed = raw * truth * exp(0.05 * asbi_rng_normal(r));

        if (i >= 3)
            worst += fabs(raw * c->factor / billed - 1);
        asbi_calibration_learn(c, raw, billed);
    }
    return worst / (calls - 3);
}

static void after_three_batches_the_mean_error_is_under_6_percent(void)
{
    static const double truths[] = { 0.6, 0.9, 1.3, 2.4 };
    struct asbi_rng r;

    asbi_rng_seed(&r, 8);
    for (size_t i = 0; i < 4; i++) {
        struct asbi_calibration c;

        asbi_calibration_init(&c, 1);
        CHECK(learned_after(&c, &r, 40, truths[i]) < 0.06);
        CHECK(fabs(c.factor / truths[i] - 1) < 0.06);
    }
}

/* What is wrong with a whole language, however much, is gone after three. */
static void three_bills_correct_what_a_language_is_off_by(void)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        struct asbi_calibration c;
        double raw =
            asbi_tokens_estimate(ASBI_O200K, asbi_str_c(samples[i].text));

        asbi_calibration_init(&c, 1);
        for (int k = 0; k < 3; k++)
            asbi_calibration_learn(&c, 20 * raw, 20 * samples[i].o200k);
        uint64_t n = asbi_calibrated(&c, 20 * raw);
        CHECK(fabs((double)n / (20 * samples[i].o200k) - 1) < 0.02);
    }
}

static void headroom_is_wider_before_three_bills(void)
{
    struct asbi_calibration c;

    asbi_calibration_init(&c, 1);
    for (int i = 0; i < 3; i++) {
        CHECK(fabs(asbi_calibration_headroom(&c) - 1.35) < 1e-9);
        asbi_calibration_learn(&c, 10, 10);
    }
    CHECK(fabs(asbi_calibration_headroom(&c) - 1.15) < 1e-9);
    c.exact = true; /* then only the frame around the texts is unknown */
    CHECK(fabs(asbi_calibration_headroom(&c) - 1.05) < 1e-9);
    c.calls = 0;
    CHECK(fabs(asbi_calibration_headroom(&c) - 1.15) < 1e-9);
}

static void the_factor_follows_a_change_within_twenty_calls(void)
{
    struct asbi_calibration c;

    asbi_calibration_init(&c, 1);
    for (int i = 0; i < 50; i++)
        asbi_calibration_learn(&c, 100, 100);
    asbi_calibration_learn(&c, 100, 200);
    CHECK(fabs(c.factor - 1.2) < 1e-9); /* alpha is 0.2 */
    for (int i = 0; i < 19; i++)
        asbi_calibration_learn(&c, 100, 200);
    CHECK(c.factor > 1.95 && c.factor <= 2);
}

static void hostile_bills_teach_nothing_or_little(void)
{
    static const double odd[] = { NAN, INFINITY, -INFINITY, -1, 0 };
    struct asbi_calibration c;
    struct asbi_ratio r;

    asbi_calibration_init(&c, 1);
    asbi_ratio_init(&r, 1.3);
    for (size_t i = 0; i < 5; i++) {
        asbi_calibration_learn(&c, odd[i], 5);
        asbi_calibration_learn(&c, 5, odd[i]);
        asbi_ratio_learn(&r, odd[i], 5);
    }
    CHECK(c.factor == 1 && c.calls == 0);
    CHECK(r.value == 1.3 && r.calls == 0);
    asbi_calibration_learn(&c, 1e-300, 1e300);
    asbi_calibration_learn(&c, 1, 1e300);
    CHECK(c.factor == 3);
    asbi_calibration_init(&c, NAN);
    CHECK(c.factor == 1);
    asbi_calibration_init(&c, 100);
    CHECK(c.factor == 3);
}

static void calibrated_counts_are_whole_and_bounded(void)
{
    struct asbi_calibration c;

    asbi_calibration_init(&c, 1.5);
    CHECK_INT(asbi_calibrated(&c, 0), ==, 0);
    CHECK_INT(asbi_calibrated(&c, -4), ==, 0);
    CHECK_INT(asbi_calibrated(&c, NAN), ==, 0);
    CHECK_INT(asbi_calibrated(&c, 0.01), ==, 1);
    CHECK_INT(asbi_calibrated(&c, 10), ==, 15);
    CHECK_INT(asbi_calibrated(&c, 1e300), ==, INT64_C(1) << 53);
}

static void the_output_ratio_is_learned_slowly(void)
{
    struct asbi_ratio r;

    asbi_ratio_init(&r, 1.3);
    asbi_ratio_learn(&r, 100, 200);
    CHECK(fabs(r.value - 1.65) < 1e-9); /* the start counts as one */
    for (int i = 0; i < 100; i++)
        asbi_ratio_learn(&r, 100, 200);
    CHECK(fabs(r.value - 2) < 0.01);
    asbi_ratio_learn(&r, 100, 100);
    CHECK(fabs(r.value - 1.9) < 0.01); /* alpha is 0.1 */
}

TEST_MAIN(CASE(estimates_are_within_15_percent_on_average),
          CASE(a_whole_is_the_sum_of_its_parts),
          CASE(each_script_has_its_own_weight),
          CASE(long_runs_of_one_class_are_counted_in_full),
          CASE(a_text_counts_as_its_characters_do),
          CASE(malformed_bytes_count_as_other_each),
          CASE(any_bytes_give_a_bounded_estimate),
          CASE(vocabularies_have_their_usual_names),
          CASE(after_three_batches_the_mean_error_is_under_6_percent),
          CASE(three_bills_correct_what_a_language_is_off_by),
          CASE(headroom_is_wider_before_three_bills),
          CASE(the_factor_follows_a_change_within_twenty_calls),
          CASE(hostile_bills_teach_nothing_or_little),
          CASE(calibrated_counts_are_whole_and_bounded),
          CASE(the_output_ratio_is_learned_slowly))
