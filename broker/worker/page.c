/* page: page.html, put into the program by the assembler. See page.h. */
#include "broker/worker/page.h"

__asm__(".pushsection .rodata\n"
	".global page_begin\n"
	"page_begin:\n"
	".incbin \"broker/worker/page.html\"\n"
	".global page_end\n"
	"page_end:\n"
	".byte 0\n"
	".popsection\n");

extern const char page_begin[];
extern const char page_end[];

struct slice
page_html(void)
{
	return slice_of(page_begin, (size_t)(page_end - page_begin));
}
