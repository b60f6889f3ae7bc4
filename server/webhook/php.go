package webhook

import "strconv"

// The appendPHP functions write values as PHP's serialize does. Lengths are in bytes.

func appendPHPString(dst []byte, s string) []byte {
	dst = strconv.AppendInt(append(dst, "s:"...), int64(len(s)), 10)
	dst = append(dst, `:"`...)
	dst = append(dst, s...)
	return append(dst, `";`...)
}

func appendPHPInt(dst []byte, n int64) []byte {
	dst = strconv.AppendInt(append(dst, "i:"...), n, 10)
	return append(dst, ';')
}

func appendPHPNull(dst []byte) []byte { return append(dst, "N;"...) }

// appendPHPObject begins an object, which goes on with the name and the value of each of its properties and ends
// with "}". The name of a public property is written as it is.
func appendPHPObject(dst []byte, class string, properties int) []byte {
	dst = strconv.AppendInt(append(dst, "O:"...), int64(len(class)), 10)
	dst = append(dst, `:"`...)
	dst = append(dst, class...)
	dst = strconv.AppendInt(append(dst, `":`...), int64(properties), 10)
	return append(dst, ":{"...)
}
