package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
)

var (
	errPassphrase = errors.New("the passphrase of the private key is wrong or missing")
	errEncryption = errors.New("the private key is encrypted in a way that is not understood")
)

// decryptKey returns a PEM file with its private key in the clear, if there is one that is not.
func decryptKey(text []byte, passphrase string) ([]byte, error) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return text, nil
		}
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY":
			der, err := decryptPKCS8(block.Bytes, passphrase)
			return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
		case block.Headers["DEK-Info"] != "":
			// What openssl wrote before version 3. That its encryption is weak is deprecated, not that it can be read.
			der, err := x509.DecryptPEMBlock(block, []byte(passphrase)) //lint:ignore SA1019 see above
			if err != nil {
				return nil, errPassphrase
			}
			return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), nil
		}
	}
}

// The structures of PKCS #8 and PKCS #5 (RFC 5958 §3, RFC 8018 appendix A).
type (
	encryptedKey struct {
		Algorithm struct {
			OID    asn1.ObjectIdentifier
			Params pbes2
		}
		Data []byte
	}
	pbes2 struct {
		KDF struct {
			OID    asn1.ObjectIdentifier
			Params pbkdf2Params
		}
		Cipher struct {
			OID asn1.ObjectIdentifier
			IV  []byte
		}
	}
	pbkdf2Params struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	// By the text of their object identifier. The default of the hash is SHA-1.
	keyHashes = map[string]func() hash.Hash{
		"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New, "1.2.840.113549.2.11": sha512.New,
	}
	keyLengths = map[string]int{ // of AES in CBC mode
		"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32,
	}
)

// maxIterations keeps the start from taking minutes; openssl's default is 2048.
const maxIterations = 10_000_000

// decryptPKCS8 reads what openssl writes by default: AES with a key that PBKDF2 makes of the passphrase.
func decryptPKCS8(der []byte, passphrase string) ([]byte, error) {
	var k encryptedKey
	if _, err := asn1.Unmarshal(der, &k); err != nil {
		return nil, fmt.Errorf("%w: %v", errEncryption, err)
	}
	p := k.Algorithm.Params
	if n := p.KDF.Params.Iterations; n < 1 || n > maxIterations {
		return nil, errEncryption
	}
	newHash, length := keyHashes[p.KDF.Params.PRF.Algorithm.String()], keyLengths[p.Cipher.OID.String()]
	if !k.Algorithm.OID.Equal(oidPBES2) || !p.KDF.OID.Equal(oidPBKDF2) || newHash == nil || length == 0 {
		return nil, errEncryption
	}
	key, err := pbkdf2.Key(newHash, passphrase, p.KDF.Params.Salt, p.KDF.Params.Iterations, length)
	if err != nil {
		return nil, err
	}
	return decryptCBC(key, p.Cipher.IV, k.Data)
}

func decryptCBC(key, iv, data []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != aes.BlockSize || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errEncryption
	}
	clear := bytes.Clone(data)
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(clear, data)
	padding := int(clear[len(clear)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errPassphrase
	}
	clear = clear[:len(clear)-padding]
	if _, err := x509.ParsePKCS8PrivateKey(clear); err != nil {
		return nil, errPassphrase
	}
	return clear, nil
}
