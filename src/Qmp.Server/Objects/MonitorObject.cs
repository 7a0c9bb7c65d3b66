namespace Qmp.Server.Objects;

/// <summary>A monitor, as it stands below <c>/objects</c>. <b>Main</b>.</summary>
internal sealed class MonitorObject() : QomObject("monitor-qmp");
