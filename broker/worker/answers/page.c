/* page: page.html, put into the program by the assembler. See page.h. */
#include "broker/worker/answers/page.h"

#include <stdint.h>

__asm__(".pushsection .rodata\n"
	".balign 8\n"
	"page_begin:\n"
	".incbin \"broker/worker/answers/page.html\"\n"
	"page_end:\n"
	".balign 8\n"
	"page_size:\n"
	".quad page_end - page_begin\n"
	".popsection\n");

extern const char page_begin[];
extern const uint64_t page_size;

struct slice
page_html(void)
{
	return slice_of(page_begin, page_size);
}
