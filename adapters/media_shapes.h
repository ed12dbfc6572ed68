/*
 * media_shapes.h -- the shapes of media jobs, a small file each.
 *
 * Private to adapters/; others find a shape by its name.
 */
#ifndef ASBI_ADAPTERS_MEDIA_SHAPES_H
#define ASBI_ADAPTERS_MEDIA_SHAPES_H

#include "adapters/encode.h"
#include "adapters/media.h"

extern const struct asbi_media_shape asbi_media_openai;
extern const struct asbi_media_shape asbi_media_runway;
extern const struct asbi_media_shape asbi_media_luma;
extern const struct asbi_media_shape asbi_media_kling;
extern const struct asbi_media_shape asbi_media_veo;
extern const struct asbi_media_shape asbi_media_replicate;
extern const struct asbi_media_shape asbi_media_fal;

/* "Authorization: Bearer KEY" */
void asbi_media_put_bearer(asbi_str key, struct asbi_buf *lines);

#endif
