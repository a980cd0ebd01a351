package event

import "time"

// Status of a Subscription.
type Status string

// The statuses of a Subscription. Only enabled ones get events.
const (
	Enabled  Status = "ENABLED"
	Disabled Status = "DISABLED"
)

// DeliverFor is for how long a delivery is tried before it is given up.
const DeliverFor = 24 * time.Hour
