package php

import "strconv"

// AppendString appends a string.
func AppendString(dst []byte, s string) []byte {
	return append(appendQuoted(append(dst, 's'), s), ';')
}

// appendQuoted appends the length of s and s itself, which is not escaped.
func appendQuoted(dst []byte, s string) []byte {
	dst = strconv.AppendInt(append(dst, ':'), int64(len(s)), 10)
	dst = append(dst, `:"`...)
	dst = append(dst, s...)
	return append(dst, '"')
}

// AppendInt appends an integer.
func AppendInt(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(append(dst, "i:"...), n, 10), ';')
}

// AppendBool appends a boolean.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "b:1;"...)
	}
	return append(dst, "b:0;"...)
}

// AppendNull appends null.
func AppendNull(dst []byte) []byte { return append(dst, "N;"...) }

// AppendEnum appends a case of an enum: its class, a colon and its name.
func AppendEnum(dst []byte, name string) []byte {
	return append(appendQuoted(append(dst, 'E'), name), ';')
}

// AppendArray begins an array, which goes on with key and value of each entry and ends with "}".
func AppendArray(dst []byte, entries int) []byte {
	dst = strconv.AppendInt(append(dst, "a:"...), int64(entries), 10)
	return append(dst, ":{"...)
}

// AppendList appends an array of strings with the keys 0, 1, 2…
func AppendList(dst []byte, list []string) []byte {
	dst = AppendArray(dst, len(list))
	for i, s := range list {
		dst = AppendString(AppendInt(dst, int64(i)), s)
	}
	return append(dst, '}')
}

// AppendObject begins an object, which goes on with the name and the value of each of its properties and ends
// with "}". The name of a public property is a string, that of a protected one is for AppendProtected.
func AppendObject(dst []byte, class string, properties int) []byte {
	dst = appendQuoted(append(dst, 'O'), class)
	dst = strconv.AppendInt(append(dst, ':'), int64(properties), 10)
	return append(dst, ":{"...)
}

// AppendProtected appends the name of a protected property.
func AppendProtected(dst []byte, name string) []byte { return AppendString(dst, "\x00*\x00"+name) }
