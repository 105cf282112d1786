/* config_faults: files with a fault, and the error each gives, for
 * config_test.c. */
#ifndef TESTS_UNIT_CONFIG_FAULTS_H
#define TESTS_UNIT_CONFIG_FAULTS_H

/* The error stands behind the path of the file. */
static const struct {
	const char *text;
	const char *error;
} faults[] = {
    {"[htpp]\n", ":1: got section \"htpp\", expected perhaps \"http\""},
    {"[x]\n",
	":1: got section \"x\", expected one of those in ssemuxd.conf(5)"},
    {"[http ]\n", ":1: got section \"http \", expected perhaps \"http\""},
    {"[]\n", ":1: got \"[]\", expected [section]"},
    {"[\n", ":1: got \"[\", expected [section]"},
    {"[http\n", ":1: got \"[http\", expected [section]"},
    {"[http] x\n", ":1: got \"[http] x\", expected [section]"},
    {"\n\nretry = 1s\n", ":3: got \"retry = 1s\", expected a [section] first"},
    {"[http]\nretry\n", ":2: got \"retry\", expected key = value"},
    {"[http]\n = 1\n", ":2: got \"= 1\", expected key = value"},
    {"[http]\nretry: 1s\n", ":2: got \"retry: 1s\", expected key = value"},
    {"[http]\nretri = 1s\n", ":2: [http] retri: there is no such setting, "
			     "did you mean [http] retry?"},
#ifdef SSEMUX_NO_ZSTD
    {"[http]\ncompression = gzip, zstd\n",
	":2: [http] compression: got \"gzip, zstd\", expected off or gzip, as "
	"this ssemuxd was built without zstd"},
    {"[http]\ncompression = zstd\n",
	":2: [http] compression: got \"zstd\", expected off or gzip, as "
	"this ssemuxd was built without zstd"},
#else
    {"[http]\ncompression = br\n",
	":2: [http] compression: got \"br\", "
	"expected off, gzip, zstd, or \"gzip, zstd\""},
    {"[http]\ncompression = gzip,\n",
	":2: [http] compression: got \"gzip,\", "
	"expected off, gzip, zstd, or \"gzip, zstd\""},
    {"[http]\ncompression = gzip, off\n",
	":2: [http] compression: got \"gzip, off\", "
	"expected off, gzip, zstd, or \"gzip, zstd\""},
    {"[http]\ncompression = gzip,off\n",
	":2: [http] compression: got \"gzip,off\", "
	"expected off, gzip, zstd, or \"gzip, zstd\""},
    {"[http]\ncompression = zstd, zstd\n",
	":2: [http] compression: got \"zstd, zstd\", "
	"expected off, gzip, zstd, or \"gzip, zstd\""},
    {"[http]\ncompression = identity\n",
	":2: [http] compression: got \"identity\", "
	"expected off, gzip, zstd, or \"gzip, zstd\""},
    {"[http]\ncompression =\n", ":2: [http] compression: got \"\", "
				"expected off, gzip, zstd, or \"gzip, zstd\""},
#endif
    {"[http]\ndurability = fsync\n",
	":2: [http] durability: there is no such setting, "
	"did you mean [history] durability?"},
    {"[http]\nwhatever = 1s\n",
	":2: [http] whatever: there is no such setting"},
    {"[http]\nRetry = 1s\n", ":2: [http] Retry: there is no such setting, "
			     "did you mean [http] retry?"},
    {"[http]\nretry=1s\n#\n[broker]\n[http]\nretry=1s\n",
	":6: [http] retry: given twice, first in line 2"},
    {"[broker]\nworkers = 0\n",
	":2: [broker] workers: got \"0\", "
	"expected a whole number from 1 to 64, or auto"},
    {"[broker]\nworkers = 65\n",
	":2: [broker] workers: got \"65\", "
	"expected a whole number from 1 to 64, or auto"},
    {"[broker]\nworkers = Auto\n",
	":2: [broker] workers: got \"Auto\", "
	"expected a whole number from 1 to 64, or auto"},
    {"[broker]\nworkers = 18446744073709551617\n",
	":2: [broker] workers: got \"18446744073709551617\", "
	"expected a whole number from 1 to 64, or auto"},
    {"[broker]\nready_fd = auto\n", ":2: [broker] ready_fd: got \"auto\", "
				    "expected a whole number from 0 to 1023"},
    {"[broker]\nready_fd =\n", ":2: [broker] ready_fd: got \"\", "
			       "expected a whole number from 0 to 1023"},
    {"[broker]\nready_fd = -1\n", ":2: [broker] ready_fd: got \"-1\", "
				  "expected a whole number from 0 to 1023"},
    {"[broker]\nready_fd = 3 3\n", ":2: [broker] ready_fd: got \"3 3\", "
				   "expected a whole number from 0 to 1023"},
    {"[http]\nmax_head = 16kb\n",
	":2: [http] max_head: got \"16kb\", "
	"expected a size from 1k to 64k, such as 16k"},
    {"[http]\nmax_head = 1023\n",
	":2: [http] max_head: got \"1023\", "
	"expected a size from 1k to 64k, such as 16k"},
    {"[http]\nmax_head = 17592186044416g\n",
	":2: [http] max_head: got \"17592186044416g\", "
	"expected a size from 1k to 64k, such as 16k"},
    /* 2^64 + 2^30 bytes: what is left after wrapping around would do. */
    {"[history]\nmax_bytes = 17179869185g\n",
	":2: [history] max_bytes: got \"17179869185g\", "
	"expected a size from 1k to 1048576g, such as 1g"},
    {"[broker]\nse = 1\n", ":2: [broker] se: there is no such setting"},
    {"[http]\nretry = 2\n", ":2: [http] retry: got \"2\", "
			    "expected a time from 0 to 1h, such as 2s"},
    {"[http]\nretry = 1.5s\n", ":2: [http] retry: got \"1.5s\", "
			       "expected a time from 0 to 1h, such as 2s"},
    {"[http]\nretry = 2 s\n", ":2: [http] retry: got \"2 s\", "
			      "expected a time from 0 to 1h, such as 2s"},
    {"[http]\nretry = s\n", ":2: [http] retry: got \"s\", "
			    "expected a time from 0 to 1h, such as 2s"},
    {"[http]\nretry =\n", ":2: [http] retry: got \"\", "
			  "expected a time from 0 to 1h, such as 2s"},
    {"[http]\nretry = 3601s\n", ":2: [http] retry: got \"3601s\", "
				"expected a time from 0 to 1h, such as 2s"},
    {"[history]\nmax_age = 0\n",
	":2: [history] max_age: got \"0\", "
	"expected a time from 1s to 36525d, such as 24h"},
    {"[http]\ndashboard = 1\n",
	":2: [http] dashboard: got \"1\", expected on or off"},
    {"[http]\nlisten =\n", ":2: [http] listen: got \"\", "
			   "expected 1 to 16 texts divided by commas"},
    {"[http]\nlisten = a,,b\n", ":2: [http] listen: got \"a,,b\", "
				"expected 1 to 16 texts divided by commas"},
    {"[http]\nlisten = a,\n", ":2: [http] listen: got \"a,\", "
			      "expected 1 to 16 texts divided by commas"},
    {"[http]\nlisten = a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\n",
	":2: [http] listen: got \"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\", "
	"expected 1 to 16 texts divided by commas"},
    {"[publish]\nmode = 0668\n",
	":2: [publish] mode: got \"0668\", "
	"expected a file mode in octal, at most 0777, such as 0660"},
    {"[publish]\nmode = 1660\n",
	":2: [publish] mode: got \"1660\", "
	"expected a file mode in octal, at most 0777, such as 0660"},
    {"[publish]\nsocket =\n",
	":2: [publish] socket: got \"\", expected a text of 1 to 107 bytes"},
    {"[broker]\nlog_level = loud\n",
	":2: [broker] log_level: got \"loud\", expected debug, info or warn"},
    {"[history]\ndurability =\n",
	":2: [history] durability: got \"\", expected commit or fsync"},
    {"[auth]\nmode = jtw\n",
	":2: [auth] mode: got \"jtw\", expected none or jwt"},
    {"[publish]\nsocket = /run/a # why\n",
	":2: [publish] socket: got \"/run/a # why\", "
	"expected a comment on a line of its own"},
    {"[publish]\nsocket = /run/a\t;why\n",
	":2: [publish] socket: got \"/run/a?;why\", "
	"expected a comment on a line of its own"},
    {"[http]\nretry = 1s\r\r\n", ":2: got the byte \\x0d, expected text"},
    {"# \x1B[2J\n", ":1: got the byte \\x1b, expected text"},
};

enum { FAULT_COUNT = sizeof(faults) / sizeof(faults[0]) };

#endif
