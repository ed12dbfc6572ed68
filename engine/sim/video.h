/*
 * video.h -- a simulated video as it is kept: what was asked for, what becomes
 * of it and when.  Shared by videos.c (the endpoints) and video_kept.c (lines
 * that outlive the process).
 */
#ifndef ASBI_SIM_VIDEO_H
#define ASBI_SIM_VIDEO_H

#include "engine/sim/jobs.h"

enum asbi_sim_fate {
    ASBI_SIM_VIDEO_GOOD,
    ASBI_SIM_VIDEO_FAILS,
    ASBI_SIM_VIDEO_REFUSED, /* by moderation, at its end */
};

/* Nano-dollars for each second. */
#define ASBI_SIM_SECOND_PRICE (ASBI_USD / 10)

struct asbi_sim_video {
    struct asbi_sim_job job; /* first */
    char model[64], size[16];
    char once[128]; /* the key its request came with; "" for none */
    uint64_t seconds;
    uint64_t span_ns; /* how long it takes */
    enum asbi_sim_fate fate;

    /* -- as of the last look */
    const char *status;
    unsigned percent;
    uint64_t completed_s; /* 0: not yet */
};

static inline struct asbi_sim_video *asbi_sim_video_of(struct asbi_sim_job *job)
{
    return (struct asbi_sim_video *)(void *)job;
}

/* What it is billed at: nothing unless it is good. */
static inline int64_t asbi_sim_video_price(const struct asbi_sim_video *v)
{
    return v->fate == ASBI_SIM_VIDEO_GOOD
               ? (int64_t)v->seconds * ASBI_SIM_SECOND_PRICE
               : 0;
}

/* Tells options->keep of one that came, or went. */
void asbi_sim_video_keep(struct asbi_sim_provider *p,
                         const struct asbi_sim_video *v, bool deleted);

#endif
