package fault

// Slugs are part of the API: clients match on them, so they never change. Those that the official SDKs or their
// users know keep the names they know (contract section 4.2); the rest follow the same pattern.
const (
	SlugInternal         = "HTTP_InternalServerError"
	SlugTimeout          = "HTTP_RequestTimeout"
	SlugCanceled         = "HTTP_ClientClosedRequest"
	SlugUnauthorized     = "HTTP_Unauthorized"
	SlugForbidden        = "HTTP_Forbidden"
	SlugNotFound         = "HTTP_NotFound"
	SlugInvalid          = "HTTP_BadRequest"
	SlugMethodNotAllowed = "HTTP_MethodNotAllowed"
	SlugGone             = "HTTP_Gone"
	SlugTooLarge         = "HTTP_PayloadTooLarge"
	SlugConflict         = "HTTP_Conflict"
	SlugRateLimited      = "HTTP_TooManyRequests"
	SlugUnsupported      = "HTTP_NotImplemented"
	SlugUnavailable      = "HTTP_ServiceUnavailable"

	SlugSessionInvalid         = "ToolRouterV2_BadRequest"
	SlugSessionNotFound        = "ToolRouterV2_SessionNotFound"
	SlugSessionConflict        = "ToolRouterV2_ConfigVersionConflict"
	SlugNoActiveConnection     = "ToolRouterV2_NoActiveConnection"
	SlugNoManagedAuth          = "ToolRouterV2_NoManagedAuth"
	SlugToolkitIsNoAuth        = "ToolRouterV2_ToolkitsIsNoAuth"
	SlugInvalidAccountIDs      = "ToolRouterV2_InvalidConnectedAccountIds"
	SlugSessionToolNotFound    = "ToolRouterV2_ToolNotFound"
	SlugSessionToolNotAllowed  = "ToolRouterV2_ToolNotAllowed"
	SlugAccountRequired        = "ToolRouterV2_AccountSelectionRequired"
	SlugToolNotFound           = "ActionExecute_ToolNotFound"
	SlugExecuteAccountNotFound = "ActionExecute_ConnectedAccountNotFound"
	SlugInvalidArguments       = "ActionExecute_InvalidArguments"
	SlugOriginMismatch         = "OriginMismatch"
	SlugMissingAuthContext     = "MissingAuthContext"
	SlugIdempotencyConflict    = "ActionExecute_IdempotencyConflict"
	SlugToolkitNotFound        = "Toolkit_NotFound"
	SlugAuthConfigNotFound     = "AuthConfig_NotFound"
	SlugAuthConfigInvalid      = "AuthConfig_BadRequest"
	SlugAccountNotFound        = "ConnectedAccount_ResourceNotFound"
	SlugAccountInvalid         = "ConnectedAccount_BadRequest"
	SlugAccountState           = "ConnectedAccount_InvalidState"
	SlugSharedAccessDenied     = "ConnectedAccount_SharedAccessDenied"
	SlugTriggerTypeNotFound    = "TriggerType_NotFound"
	SlugTriggerNotFound        = "TriggerInstance_NotFound"
	SlugTriggerInvalid         = "TriggerInstance_BadRequest"
	SlugTriggerRefused         = "TriggerInstance_RefusedByProvider"
	SlugEndpointNotFound       = "WebhookEndpoint_NotFound"
	SlugEndpointNeeded         = "WebhookEndpoint_SetupRequired"
	SlugCallRefused            = "WebhookIngress_Refused"
	SlugLinkExpired            = "ConnectLink_Expired"
	SlugLinkNotFound           = "ConnectLink_NotFound"
	SlugLinkUsed               = "ConnectLink_Used"
	SlugLinkWrongBrowser       = "ConnectLink_WrongBrowser"
	SlugLinkNoCookie           = "ConnectLink_NoCookie"
	SlugLinkWrongUser          = "ConnectLink_WrongUser"
	SlugUpstream               = "Upstream_Failed"
	SlugDestinationRefused     = "Outbound_DestinationRefused"
)

// Numbers that clients look at (contract section 4.2). Others are derived from the kind at the edge.
const (
	CodeAccountNotFound        = 606
	CodeExecuteNoAccount       = 1803 // the TypeScript SDK turns this one into its typed error
	CodeExecuteAccountNotFound = 1810
	CodeToolNotFound           = 2401
	CodeSessionInvalid         = 4300
	CodeNoActiveConnection     = 4302
	CodeInvalidAccountIDs      = 4306
	CodeNoManagedAuth          = 4308
	CodeToolkitIsNoAuth        = 4326
)
