/* page: the live page, page.html, as bytes in the program. */
#ifndef SSEMUX_WORKER_ANSWERS_PAGE_H
#define SSEMUX_WORKER_ANSWERS_PAGE_H

#include "protocol/slice.h"

struct slice page_html(void);

#endif
