<#
.SYNOPSIS
    Writes the usage of this Veeam backup server as a Tidegauge snapshot file.

.DESCRIPTION
    For Windows backup servers that Tidegauge does not reach over REST. Run it on the server, hourly, by the Task
    Scheduler; it asks the Veeam cmdlets, changes nothing, and writes one file a run into a folder. Tidegauge reads that
    folder as a server of source "snapshot_folder" (a share that both see, or a folder that is copied).

    What is written is design.md 7's tidegauge.usage-snapshot/1: the license, workloads by name where the cmdlets name
    them, and counts by tenant and type on a Cloud Connect server. A tenant and type stands in one of them only. Instants
    are UTC. The file is written under another ending and renamed when it is whole. It holds no password and no key.

    What the cmdlets do not tell is left out rather than guessed: workloads have no dates of restore points here, so the
    31-day rule is the server's own, and new workloads of a key that is not Cloud Connect are found by when they are
    seen first.

.PARAMETER Server
    The name of this server in Tidegauge's settings.

.PARAMETER Folder
    Where files are written. Made when it does not exist.

.PARAMETER InstallationId
    The installation id of this server, as its own API (GET /api/v1/serverInfo, vbrId) or a Service Provider Console
    (installationUid) shows it. No cmdlet tells it. With it a server that a console names too counts once; without it
    Tidegauge only warns where the names are alike. A clone has the id of its original until it is given one of its own.

.PARAMETER KeepDays
    Files that Tidegauge has taken or rejected (the folders "taken" and "rejected") are removed after so many days;
    0 keeps them.

.PARAMETER ShowMapping
    Prints the table of tenant counters and ends; no cmdlet of Veeam is asked.

.EXAMPLE
    .\tidegauge-dump.ps1 -Server vbr02 -Folder D:\Tidegauge\vbr02

.EXAMPLE
    schtasks /Create /TN Tidegauge /SC HOURLY /RU SYSTEM /TR "powershell -NoProfile -ExecutionPolicy AllSigned -File C:\Tidegauge\tidegauge-dump.ps1 -Server vbr02 -Folder D:\Tidegauge\vbr02"

.NOTES
    Windows PowerShell 5.1 (VBR up to 12) and PowerShell 7 (VBR 13). The account needs the role Backup Administrator.
    Exit codes: 0 written; 1 not written, with the reason on the error stream.
#>
[CmdletBinding(DefaultParameterSetName = 'Dump')]
param(
    [Parameter(Mandatory = $true, ParameterSetName = 'Dump')]
    [ValidatePattern('^[\w][\w\-. ]{0,63}$')]
    [string] $Server,

    [Parameter(Mandatory = $true, ParameterSetName = 'Dump')]
    [string] $Folder,

    [Parameter(ParameterSetName = 'Dump')]
    [ValidatePattern('^([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?$')]
    [string] $InstallationId = '',

    [Parameter(ParameterSetName = 'Dump')]
    [ValidateRange(0, 3650)]
    [int] $KeepDays = 0,

    [Parameter(Mandatory = $true, ParameterSetName = 'Mapping')]
    [switch] $ShowMapping
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# Each counter of Get-VBRCloudTenant: the type and the number it is, and its spellings, the documented one first.
# Tidegauge's own test compares this table with the one its Enterprise Manager source reads by.
# "New" ones consume nothing this month. Replicas count also when their tenant has a rental license: RentalReplicaCount
# is written as rental, and Tidegauge counts it.
$TenantCounters = @'
type                     part    names
CloudConnectVM           used    VMCount VMBackupCount
CloudConnectReplica      used    ReplicaCount VMReplicaCount
CloudConnectWorkstation  used    WorkstationCount WorkstationBackupCount
CloudConnectServer       used    ServerCount ServerBackupCount
CloudConnectVM           new     NewVMBackupCount
CloudConnectReplica      new     NewReplicaCount NewVMReplicaCount
CloudConnectWorkstation  new     NewWorkstationBackupCount
CloudConnectServer       new     NewServerBackupCount
CloudConnectVM           rental  RentalVMBackupCount
CloudConnectReplica      rental  RentalReplicaCount RentalVMReplicaCount
CloudConnectWorkstation  rental  RentalWorkstationBackupCount
CloudConnectServer       rental  RentalServerBackupCount
'@

# The types of Get-VBRLicensedInstanceWorkload and of InstanceLicenseSummary.Object, and what Tidegauge calls them.
# Others are written as they come: Tidegauge keeps and shows them.
$WorkloadTypes = @'
cmdlet                         type
VM                             VM
AHVVM                          VM
Server                         Server
Workstation                    Workstation
Application                    Application
CloudMachine                   CloudVM
FileShare                      FileShare
CloudConnectBackupVM           CloudConnectVM
CloudConnectReplicationVM      CloudConnectReplica
CloudConnectBackupWorkstation  CloudConnectWorkstation
CloudConnectBackupServer       CloudConnectServer
'@

# The rows of a table above, its heading left out.
function Get-Row([string] $Table) {
    $Table -split "\r?\n" | Select-Object -Skip 1 | Where-Object { $_.Trim() } | ForEach-Object { , ($_.Trim() -split '\s+') }
}

# A property's value, or $null: objects of other versions lack some.
function Get-Value($Object, [string[]] $Names) {
    if ($null -eq $Object) { return $null }
    foreach ($name in $Names) {
        $property = $Object.PSObject.Properties[$name]
        if ($null -ne $property -and $null -ne $property.Value) { return $property.Value }
    }
    return $null
}

# Decimals as text, with a point whatever the server's language.
function ConvertTo-Decimal($Value) {
    if ($null -eq $Value) { return $null }
    return ([decimal] $Value).ToString([Globalization.CultureInfo]::InvariantCulture)
}

# A civil date, or $null for none.
function ConvertTo-Date($Value) {
    if ($null -eq $Value -or ([datetime] $Value).Year -lt 1970 -or ([datetime] $Value).Year -gt 9000) { return $null }
    return ([datetime] $Value).ToString('yyyy-MM-dd', [Globalization.CultureInfo]::InvariantCulture)
}

function ConvertTo-Text($Value) {
    if ($null -eq $Value -or "$Value" -eq '') { return $null }
    return "$Value"
}

function ConvertTo-TypeName([string] $Type) {
    foreach ($row in Get-Row $WorkloadTypes) { if ($row[0] -eq $Type) { return $row[1] } }
    return $Type
}

# The license block.
function ConvertTo-License($License, $Summary, [string] $InstallationId = '') {
    $cloudConnect = "$(Get-Value $License @('CloudConnect'))"
    return [ordered]@{
        license_id         = ConvertTo-Text (Get-Value $License @('LicenseId', 'Id'))
        type               = ConvertTo-Text (Get-Value $License @('Type'))
        product            = 'VBR'
        edition            = ConvertTo-Text (Get-Value $License @('Edition'))
        package            = ConvertTo-Text (Get-Value $Summary @('Package'))
        cloud_connect      = ($cloudConnect -eq 'Enabled' -or $cloudConnect -eq 'Enterprise')
        licensed_to        = ConvertTo-Text (Get-Value $License @('LicensedTo'))
        support_id         = ConvertTo-Text (Get-Value $License @('SupportId'))
        installation_id    = ConvertTo-Text $InstallationId.ToLowerInvariant()
        licensed_points    = ConvertTo-Decimal (Get-Value $Summary @('LicensedInstancesNumber'))
        used_points        = ConvertTo-Decimal (Get-Value $Summary @('UsedInstancesNumber'))
        new_points         = ConvertTo-Decimal (Get-Value $Summary @('NewInstancesNumber'))
        expires_on         = ConvertTo-Date (Get-Value $License @('ExpirationDate'))
        support_expires_on = ConvertTo-Date (Get-Value $License @('SupportExpirationDate'))
        auto_update        = ("$(Get-Value $License @('AutoUpdateEnabled'))" -eq 'True')
    }
}

# Points of one machine by type, where the server states one figure for it.
function Get-Weight($Summary) {
    $weights = @{}
    foreach ($object in @(Get-Value $Summary @('Object', 'Objects'))) {
        $multiplier = Get-Value $object @('Multiplier')
        if ($null -eq $multiplier -or [decimal] $multiplier -eq 0) { continue }
        $type = ConvertTo-TypeName "$(Get-Value $object @('Type'))"
        $text = ConvertTo-Decimal $multiplier
        if ($weights.ContainsKey($type) -and $weights[$type] -ne $text) { $weights[$type] = $null } else { $weights[$type] = $text }
    }
    return $weights
}

# Counts of the tenants: a row for each tenant and type that has any machine.
function ConvertTo-Count($Tenants, $Weights) {
    $counts = @()
    foreach ($tenant in @($Tenants)) {
        $rows = [ordered]@{}
        foreach ($row in Get-Row $TenantCounters) {
            $number = Get-Value $tenant $row[2..($row.Count - 1)]
            if ($null -eq $number) {
                if ($row[1] -eq 'used') { throw "tenant $($tenant.Name) has no $($row[2]); this script does not know this version of Veeam" }
                continue
            }
            if ([int] $number -eq 0) { continue }
            if (-not $rows.Contains($row[0])) {
                $rows[$row[0]] = [ordered]@{
                    tenant = "$($tenant.Name)"; type = $row[0]; weight = $Weights[$row[0]]; used = 0; new = 0; rental = 0
                }
            }
            $rows[$row[0]][$row[1]] = [int] $number
        }
        $counts += @($rows.Values)
    }
    return $counts
}

# Workloads by name. Those of tenants stand in the counts, so they are left out here.
function ConvertTo-Workload($Licensed, [bool] $HasTenants) {
    $workloads = @()
    foreach ($one in @($Licensed)) {
        if ($null -eq $one) { continue }
        $type = ConvertTo-TypeName "$(Get-Value $one @('Type'))"
        if ($HasTenants -and $type -like 'CloudConnect*') { continue }
        $used = Get-Value $one @('UsedInstancesNumber')
        $points = $null
        # New ones use nothing yet: Tidegauge finds their weight.
        if ($null -ne $used -and [decimal] $used -ne 0) { $points = ConvertTo-Decimal $used }
        $workloads += [ordered]@{
            id = "$(Get-Value $one @('ID', 'Id'))"; name = ConvertTo-Text (Get-Value $one @('Name')); type = $type; points = $points
        }
    }
    return $workloads
}

# The whole snapshot.
function New-Snapshot([string] $Name, [string] $InstallationId, [datetime] $TakenAt, $License, $Summary, $Licensed, $Tenants) {
    $block = ConvertTo-License $License $Summary $InstallationId
    $snapshot = [ordered]@{
        schema    = 'tidegauge.usage-snapshot/1'
        taken_at  = $TakenAt.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
        server    = $Name
        license   = $block
        workloads = @(ConvertTo-Workload $Licensed $block['cloud_connect'])
    }
    if ($block['cloud_connect']) { $snapshot['counts'] = @(ConvertTo-Count $Tenants (Get-Weight $Summary)) }
    return $snapshot
}

# Written under another ending, without a byte order mark, and renamed when it is whole.
function Write-Snapshot($Snapshot, [string] $Folder) {
    if (-not (Test-Path -LiteralPath $Folder)) { $null = New-Item -ItemType Directory -Path $Folder }
    $stamp = $Snapshot.taken_at -replace '[:\-]', ''
    $final = Join-Path $Folder "$($Snapshot.server)-$stamp.json"
    $partial = "$final.partial"
    $json = ConvertTo-Json -InputObject $Snapshot -Depth 6 -Compress
    [IO.File]::WriteAllText($partial, "$json`n", (New-Object Text.UTF8Encoding $false))
    Move-Item -LiteralPath $partial -Destination $final -Force
    return $final
}

function Remove-Old([string] $Folder, [int] $Days) {
    if ($Days -eq 0) { return }
    $before = (Get-Date).AddDays(-$Days)
    foreach ($name in 'taken', 'rejected') {
        $inside = Join-Path $Folder $name
        if (Test-Path -LiteralPath $inside) {
            Get-ChildItem -LiteralPath $inside -File | Where-Object { $_.LastWriteTime -lt $before } | Remove-Item -Force
        }
    }
}

if ($ShowMapping) {
    Write-Output $TenantCounters
    exit 0
}

try {
    if (-not (Get-Command Get-VBRInstalledLicense -ErrorAction SilentlyContinue)) {
        Import-Module Veeam.Backup.PowerShell -DisableNameChecking -WarningAction SilentlyContinue
    }
    $takenAt = [datetime]::UtcNow
    $license = Get-VBRInstalledLicense
    $summary = Get-Value $license @('InstanceLicenseSummary')
    $licensed = @()
    if ($null -ne $summary) {
        $licensed = Get-Value $summary @('Workload', 'Workloads')
        if ($null -eq $licensed) { $licensed = @(Get-VBRLicensedInstanceWorkload -License $license) }
    }
    $tenants = @()
    if ((ConvertTo-License $license $summary)['cloud_connect']) { $tenants = @(Get-VBRCloudTenant) }
    $file = Write-Snapshot (New-Snapshot $Server $InstallationId $takenAt $license $summary $licensed $tenants) $Folder
    Remove-Old $Folder $KeepDays
    Write-Output $file
    exit 0
}
catch {
    Write-Error -ErrorAction Continue "tidegauge-dump: $Server was not written: $($_.Exception.Message)"
    exit 1
}
