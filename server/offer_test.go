package server

import "testing"

func TestAcceptDeflate(t *testing.T) {
	const plain, withBits = deflateAnswer, deflateAnswerBits
	tests := []struct {
		name    string
		headers []string
		want    string
	}{
		{"nothing", nil, ""},
		{"an empty header", []string{""}, ""},
		// RFC 7692, sections 5.2 and 7.1.3.
		{"alone", []string{"permessage-deflate"}, plain},
		{"what Chromium and Firefox offer", []string{"permessage-deflate; client_max_window_bits"}, plain},
		{"a window that is not to be had, or any", []string{"permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate; client_max_window_bits"}, plain},
		{"no context takeover", []string{"permessage-deflate; client_no_context_takeover; server_no_context_takeover"}, plain},
		{"all parameters", []string{"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; client_max_window_bits=15"}, withBits},
		{"the largest window of the server", []string{"permessage-deflate; server_max_window_bits=15"}, withBits},
		{"a quoted value", []string{`permessage-deflate; server_max_window_bits="15"`}, withBits},
		{"a smaller window of the client", []string{"permessage-deflate; client_max_window_bits=9"}, plain},

		{"a smaller window of the server", []string{"permessage-deflate; server_max_window_bits=14"}, ""},
		{"no size of the window", []string{"permessage-deflate; server_max_window_bits"}, ""},
		{"too small a window", []string{"permessage-deflate; client_max_window_bits=7"}, ""},
		{"too large a window", []string{"permessage-deflate; client_max_window_bits=16"}, ""},
		{"a window that is no number", []string{"permessage-deflate; client_max_window_bits=large"}, ""},
		{"leading zeroes", []string{"permessage-deflate; client_max_window_bits=015"}, ""},
		{"an empty value", []string{"permessage-deflate; client_max_window_bits="}, ""},
		{"a value where there is none", []string{"permessage-deflate; server_no_context_takeover=1"}, ""},
		{"the same twice", []string{"permessage-deflate; client_max_window_bits; client_max_window_bits=10"}, ""},
		{"the same twice, in another case", []string{"permessage-deflate; client_max_window_bits; Client_Max_Window_Bits"}, ""},
		{"an unknown parameter", []string{"permessage-deflate; fast"}, ""},
		{"an empty parameter", []string{"permessage-deflate;"}, ""},

		{"another extension", []string{"permessage-bzip2"}, ""},
		{"one that begins alike", []string{"permessage-deflate2"}, ""},
		{"of several extensions", []string{"x-webkit-deflate-frame, permessage-deflate"}, plain},
		{"in a second header", []string{"permessage-deflate; fast", "mux; max=4, permessage-deflate; server_max_window_bits=15"}, withBits},
		{"the first of several", []string{"permessage-deflate, permessage-deflate; server_max_window_bits=15"}, plain},
		{"an unknown parameter, then without", []string{"permessage-deflate; fast, permessage-deflate"}, plain},
		{"without spaces, with tabs", []string{"permessage-deflate;client_max_window_bits,\tx", "\t"}, plain},
		{"in capitals", []string{"Permessage-Deflate; Server_Max_Window_Bits=15"}, withBits},
		{"a comma within a value", []string{`x; y="a, permessage-deflate"`}, ""},
		{"a quote within a value", []string{`x; y="a\", permessage-deflate", permessage-deflate`}, plain},
		{"a quote that does not end", []string{`x; y="a, permessage-deflate`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var headers [][]byte
			for _, h := range tt.headers {
				headers = append(headers, []byte(h))
			}
			if got := acceptDeflate(headers); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
