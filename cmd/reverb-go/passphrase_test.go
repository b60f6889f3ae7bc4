package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"testing"
)

// The files of testdata/keys hold one key, which was made for this test, and were written by openssl.
func TestDecryptKey(t *testing.T) {
	tests := []struct {
		name, file, passphrase string
		want                   error
	}{
		{"openssl 3", "pkcs8.pem", "open-sesame", nil},
		{"openssl 1.0", "pkcs8_sha1.pem", "open-sesame", nil},
		{"traditional", "legacy.pem", "open-sesame", nil},
		{"wrong", "pkcs8.pem", "open-barley", errPassphrase},
		{"missing", "pkcs8.pem", "", errPassphrase},
		{"traditional, wrong", "legacy.pem", "open-barley", errPassphrase},
		{"scrypt", "scrypt.pem", "open-sesame", errEncryption},
	}
	var first []byte
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/keys/" + tt.file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decryptKey(text, tt.passphrase)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got error %v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			key := publicKey(t, got)
			if first == nil {
				first = key
			}
			if !bytes.Equal(key, first) {
				t.Error("got another key than from the first file")
			}
		})
	}
}

// publicKey returns the public part of a private key in the clear.
func publicKey(t *testing.T, text []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(text)
	if block.Type == "EC PRIVATE KEY" {
		key, err := x509.ParseECPrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		block.Bytes, _ = x509.MarshalPKCS8PrivateKey(key)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.(crypto.Signer).Public())
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func TestDecryptKeyInTheClear(t *testing.T) {
	for _, text := range []string{"", "no PEM at all", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if got, err := decryptKey([]byte(text), "open-sesame"); string(got) != text || err != nil {
			t.Errorf("got %q and error %v, want what was given: %q", got, err, text)
		}
	}
}

// Whatever is in the file, there is an answer.
func FuzzDecryptPKCS8(f *testing.F) {
	for _, file := range []string{"pkcs8.pem", "pkcs8_sha1.pem", "scrypt.pem"} {
		text, err := os.ReadFile("testdata/keys/" + file)
		if err != nil {
			f.Fatal(err)
		}
		block, _ := pem.Decode(text)
		f.Add(block.Bytes)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if key, err := decryptPKCS8(der, "open-sesame"); err == nil {
			if _, err := x509.ParsePKCS8PrivateKey(key); err != nil {
				t.Errorf("got no key: %v", err)
			}
		}
	})
}
