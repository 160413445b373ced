package darabonba

import (
	"testing"

	"github.com/aliretry/aliretry/integration/darabonba/suite"
)

func TestMain(m *testing.M) { suite.Main(m) }

// TestClient runs the tests of package suite with version 2.1 of the SDK.
func TestClient(t *testing.T) { suite.Run(t) }

// This version keeps the read timeout to itself: attempts have the time that the Policy
// gives.
func TestReadTimeout(t *testing.T) { suite.ReadTimeout(t, false) }
