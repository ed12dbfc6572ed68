/*
 * error.h -- fills the public message: place, cause, remedy.
 */
#ifndef ASBI_BASE_ERROR_H
#define ASBI_BASE_ERROR_H

#include <asyncbatch/asyncbatch.h>

/* Accepts NULL.  Cuts what does not fit.  Returns `code`, so that a refusal is
 * one statement. */
int asbi_fail(struct asb_message *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
