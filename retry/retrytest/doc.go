// Package retrytest is a fake Alibaba Cloud endpoint for tests. It answers requests of
// the RPC and ROA styles, version 1.0, and of the ACS3 style, by ACS3-HMAC-SHA256,
// ACS3-HMAC-SM3 and ACS3-RSA-SHA256, as the documentation says that a service does: it
// checks the signature, the timestamp and the nonce of each attempt, keeps the
// ClientToken promise (same token, same parameters: the first result again and nothing
// new), counts the effects that were really made, and plays scripted faults on a real
// connection.
//
//	srv := retrytest.NewServer()
//	defer srv.Close()
//	srv.Script(
//		retrytest.Reset().AfterEffect(),                    // the group is there, the reply is not
//		retrytest.Reply(503, "ServiceUnavailable", "busy"), // nothing was done
//	)
//	client, _ := ess.NewClientWithAccessKey("cn-hangzhou", "testid", "testsecret")
//	request := ess.CreateCreateScalingGroupRequest()
//	request.Domain = srv.Host
//	... // call, then look at srv.Attempts() and srv.Effects()
//
// # The way of an attempt
//
//	read whole -> recorded and given its fault -> gateway -> token -> effect -> fault, or the reply
//
// The gateway refuses, in this order:
//
//	405 UnsupportedHTTPMethod                       a method that the style does not have
//	404 InvalidAction.NotFound                      RPC: path is not /; or the action is no name
//	413 RequestEntityTooLarge                       body over 32 MiB
//	400 IncompleteBody, InvalidParameter            body broken off; query or form unreadable; a name given twice
//	400 MissingParameter, InvalidParameter.Format   a common parameter is absent; Format is neither JSON nor XML
//	400 InvalidSignatureMethod                      not HMAC-SHA1, 1.0; ACS3: none of the three
//	400 ContentMD5NotMatched                        ROA: the header is there, and not the body's
//	400 ContentSha256NotMatched                     ACS3: likewise
//	400 IncompleteSignature                         ACS3: SignedHeaders lacks one that has to be signed
//	404 InvalidAccessKeyId.NotFound                 unknown key (400 InvalidBearerToken for a bearer token)
//	400 InvalidSignatureMethod                      an RSA key where the signature is an HMAC, or the reverse
//	400 SignatureDoesNotMatch
//	400 InvalidTimeStamp.Format, .Expired           more than 15 minutes off the server's clock (Server.SetClock)
//	400 MissingSignatureNonce, SignatureNonceUsed   per key; a request that passes burns its nonce, whatever follows;
//	                                                in the ROA style there may be none
//	400 MissingSecurityToken
//	400 InvalidSecurityToken.MismatchWithAccessKey
//	400 InvalidSecurityToken.Expired                after Server.Expire; AddAccount is how it is renewed
//
// A signature and what belongs to it may be absent from two kinds of attempt, which pass
// the other checks like any. A bearer token needs none; one beside it is checked in the
// RPC and ROA styles. An attempt that shows no key at all, nor an empty one, is taken for
// the account that is Anonymous, if there is one. Its x-acs-content-sha256 is the SHA-256
// or the SM3 hash, since it names no algorithm.
//
// Then, for operations with an effect, the token:
//
//	400 InvalidClientToken.ValueNotSupported        over 64 characters, or not 0x20-0x7E
//	400 IdempotentParameterMismatch                 the token belongs to a call with another action, path, body or parameter
//	403 LastTokenProcessing                         the token's first attempt is still at work
//
// A refused attempt uses up its step of the script but the fault is not played.
// An operation has an effect unless its action begins with Describe, List, Get or
// Query, or it is a GET or HEAD of the ROA style that does not name its action. A ROA
// or ACS3 request carries its token as ClientToken or clientToken, in the query, in a form or in
// a JSON body; an RPC request as ClientToken, in the query or in a form. Refusing a name
// that is given twice is stricter than a real endpoint is known to be: what such a
// request means is nowhere defined.
//
// The package shares no code with the client side of this module: its signature is
// computed from the specification, so that one can be checked against the other.
package retrytest
