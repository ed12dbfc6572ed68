#include "engine/real/artefact_dir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static char folder[64];
static struct asbi_artefacts *place;
static struct asb_message why;

static void begin(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/asb-artefacts-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    CHECK_INT(asbi_artefact_dir_open(&asbi_mem_system, folder, &place, &why),
              ==, ASB_OK);
}

static const char *path_of(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void end(const char *name)
{
    place->ops->free(place);
    if (name)
        CHECK_INT(unlink(path_of(name)), ==, 0);
    CHECK_INT(rmdir(folder), ==, 0);
}

static struct asbi_artefact *open_part(uint64_t have)
{
    struct asbi_artefact *f;
    uint64_t found = 99;

    CHECK_INT(place->ops->open(place, "film", &f, &found), ==, ASB_OK);
    CHECK_INT(found, ==, have);
    return f;
}

static void check_digest(struct asbi_artefact *f, const char *of)
{
    struct asbi_digest *d = asbi_digest_new();
    unsigned char want[ASBI_DIGEST_BYTES], got[ASBI_DIGEST_BYTES];

    CHECK(d && asbi_digest_of(d, of, strlen(of), want));
    CHECK_INT(place->ops->digest(f, got), ==, ASB_OK);
    CHECK(memcmp(want, got, sizeof(want)) == 0);
    asbi_digest_free(d);
}

static void a_part_gets_its_name_when_it_is_whole(void)
{
    char text[16] = "";
    struct asbi_buf path;

    begin();
    struct asbi_artefact *f = open_part(0);
    CHECK_INT(place->ops->write(f, "one", 3), ==, ASB_OK);
    CHECK_INT(access(path_of("film.part"), F_OK), ==, 0);
    CHECK_INT(place->ops->write(f, "two", 3), ==, ASB_OK);
    check_digest(f, "onetwo");
    asbi_buf_init(&path, &asbi_mem_system, 1000);
    CHECK_INT(place->ops->finish(f, "film.mp4", &path), ==, ASB_OK);
    CHECK_STR(asbi_buf_view(&path), path_of("film.mp4"));
    CHECK(access(path_of("film.part"), F_OK) != 0);
    int fd = open(path_of("film.mp4"), O_RDONLY);
    CHECK_INT(read(fd, text, sizeof(text)), ==, 6);
    CHECK(strcmp(text, "onetwo") == 0);
    (void)close(fd);
    asbi_buf_fini(&path);
    end("film.mp4");
}

static void a_part_that_was_left_is_gone_on_with(void)
{
    begin();
    struct asbi_artefact *f = open_part(0);
    CHECK_INT(place->ops->write(f, "one", 3), ==, ASB_OK);
    place->ops->close(f);
    f = open_part(3);
    CHECK_INT(place->ops->write(f, "two", 3), ==, ASB_OK);
    check_digest(f, "onetwo");
    CHECK_INT(place->ops->restart(f), ==, ASB_OK);
    CHECK_INT(place->ops->write(f, "x", 1), ==, ASB_OK);
    check_digest(f, "x");
    place->ops->close(f);
    f = open_part(1);
    place->ops->close(f);
    end("film.part");
}

static void a_part_can_be_dropped(void)
{
    begin();
    struct asbi_artefact *f = open_part(0);
    CHECK_INT(place->ops->write(f, "one", 3), ==, ASB_OK);
    place->ops->drop(f);
    CHECK(access(path_of("film.part"), F_OK) != 0);
    end(NULL);
}

static void what_is_whole_is_loaded_within_a_bound(void)
{
    struct asbi_buf path, bytes;

    begin();
    struct asbi_artefact *f = open_part(0);
    CHECK_INT(place->ops->write(f, "onetwo", 6), ==, ASB_OK);
    asbi_buf_init(&path, &asbi_mem_system, 1000);
    asbi_buf_init(&bytes, &asbi_mem_system, 6);
    CHECK_INT(place->ops->finish(f, "film.mp4", &path), ==, ASB_OK);
    const char *name = asbi_buf_cstr(&path);
    CHECK_INT(place->ops->load(place, name, &bytes), ==, ASB_OK);
    CHECK_STR(asbi_buf_view(&bytes), "onetwo");
    asbi_buf_fini(&bytes);
    asbi_buf_init(&bytes, &asbi_mem_system, 5);
    CHECK_INT(place->ops->load(place, name, &bytes), ==, ASB_EIO);
    CHECK(strlen(place->ops->say(place)) > 5);
    CHECK_INT(place->ops->load(place, "/none", &bytes), ==, ASB_EIO);
    asbi_buf_fini(&bytes);
    asbi_buf_fini(&path);
    end("film.mp4");
}

static void a_part_has_one_writer(void)
{
    struct asbi_artefact *second;
    uint64_t have;

    begin();
    struct asbi_artefact *f = open_part(0);
    CHECK_INT(place->ops->open(place, "film", &second, &have), ==, ASB_EIO);
    CHECK(strstr(place->ops->say(place), "another run") != NULL);
    place->ops->close(f);
    end("film.part");
}

/* A link in a folder that others write to must not lead out of it. */
static void a_link_is_not_followed(void)
{
    struct asbi_artefact *f;
    uint64_t have;

    begin();
    CHECK_INT(symlink("/etc/hostname", path_of("film.part")), ==, 0);
    CHECK_INT(place->ops->open(place, "film", &f, &have), ==, ASB_EIO);
    CHECK(strlen(place->ops->say(place)) > 5);
    end("film.part");
}

static void a_folder_that_cannot_be_is_refused(void)
{
    CHECK_INT(
        asbi_artefact_dir_open(&asbi_mem_system, "/dev/null/x", &place, &why),
        ==, ASB_EIO);
    CHECK(strstr(why.text, "/dev/null/x") != NULL);
}

static void what_is_left_open_is_left_for_later(void)
{
    begin();
    struct asbi_artefact *f = open_part(0);
    CHECK_INT(place->ops->write(f, "one", 3), ==, ASB_OK);
    end("film.part");
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_artefact *f;
    uint64_t have;

    (void)arg;
    (void)snprintf(folder, sizeof(folder), "/tmp/asb-artefacts-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    int rc = asbi_artefact_dir_open(mem, folder, &place, &why);
    if (!rc) {
        rc = place->ops->open(place, "film", &f, &have);
        if (!rc)
            place->ops->close(f);
        place->ops->free(place);
    }
    (void)unlink(path_of("film.part"));
    CHECK_INT(rmdir(folder), ==, 0);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 1);
}

TEST_MAIN(CASE(a_part_gets_its_name_when_it_is_whole),
          CASE(a_part_that_was_left_is_gone_on_with),
          CASE(a_part_can_be_dropped),
          CASE(what_is_whole_is_loaded_within_a_bound),
          CASE(a_part_has_one_writer), CASE(a_link_is_not_followed),
          CASE(a_folder_that_cannot_be_is_refused),
          CASE(what_is_left_open_is_left_for_later),
          CASE(every_failed_allocation_is_survived))
