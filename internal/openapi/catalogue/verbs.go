package catalogue

import "strings"

// IsRead reports whether an operation reads by the verb that its name begins with: the
// rule for operations of which nothing else is known. It has the two verbs alone of which
// the catalogue shows that what is not a read among them is rare.
func IsRead(action string) bool {
	return HasVerb(action, "Describe") || HasVerb(action, "List")
}

// HasVerb reports whether a name begins with a verb, and not merely with its letters, as
// Listen does with List.
func HasVerb(action, verb string) bool {
	rest, ok := strings.CutPrefix(action, verb)
	return ok && (rest == "" || rest[0] < 'a' || rest[0] > 'z')
}
